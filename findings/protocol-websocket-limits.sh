#!/usr/bin/env bash
# Perl's Protocol::WebSocket takes a message of 8 MiB in 128 frames, but none of 65,537 bytes in one, or of 129 in 129.
#
# A good guess: a limit is one of messages, and small fragments are harmless. Here it is 65,536 bytes a frame and 128
# frames a message. Its `append` also empties the caller's variable, unless that is a constant. Needs Perl.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian libprotocol-websocket-perl=0.26-3
cat >"$work/frames.pl" <<'PL'
use strict;
use warnings;
use Protocol::WebSocket::Frame;

# A message in frames of a size, as a client sends it, with a mask of zeros.
sub message {
    my ($frames, $size) = @_;
    return map {
        my $first = ($_ == $frames ? 0x80 : 0) | ($_ == 1 ? 2 : 0);
        my $length = $size < 126 ? pack('C', 0x80 | $size)
            : $size < 65536 ? pack('Cn', 0xFE, $size) : pack('CQ>', 0xFF, $size);
        pack('C', $first) . $length . "\0\0\0\0" . 'a' x $size
    } 1 .. $frames;
}

sub received {
    my $parser = Protocol::WebSocket::Frame->new;
    my $size;
    for my $frame (@_) {
        eval {
            $parser->append($frame);
            my $message = $parser->next_bytes;
            $size = length $message if defined $message;
            1;
        } or return 'refused: ' . $@ =~ s/(\.| at ).*//sr;
    }
    return defined $size ? "a message of $size bytes" : 'nothing';
}

for my $sizes ([1, 65536], [128, 65536], [1, 65537], [128, 1], [129, 1]) {
    my ($frames, $size) = @$sizes;
    print "$frames x $size bytes: ", received(message($frames, $size)), "\n";
}
my ($bytes) = message(1, 5);
my $before = length $bytes;
Protocol::WebSocket::Frame->new->append($bytes);
print "the caller's variable: $before bytes, then ", length $bytes, "\n";
PL
PERL5LIB=$work/debian/usr/share/perl5 perl "$work/frames.pl" | compare "1 x 65536 bytes: a message of 65536 bytes
128 x 65536 bytes: a message of 8388608 bytes
1 x 65537 bytes: refused: Payload is too big
128 x 1 bytes: a message of 128 bytes
129 x 1 bytes: refused: Too many fragments
the caller's variable: 11 bytes, then 0"
