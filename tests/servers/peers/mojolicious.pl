# Mojolicious::Lite, with its defaults.
use Mojolicious::Lite -signatures;

websocket '/' => sub ($c) {
    $c->tx->with_protocols('chat');
    $c->on(text => sub ($c, $bytes) {
        return $c->tx->finish(4001, 'bye') if $bytes eq 'close';
        die 'as asked' if $bytes eq 'raise';
        $c->send({text => $bytes});
    });
    $c->on(binary => sub ($c, $bytes) { $c->send({binary => $bytes}) });
};
websocket '/500' => sub ($c) { die 'as asked' };
websocket '/302' => sub ($c) { $c->redirect_to('/') };
websocket '/:code' => [code => qr/\d+/] => sub ($c) { $c->render(text => 'not here', status => $c->param('code')) };

app->log->level('fatal');
app->start('daemon', '-m', 'production', '-l', "http://127.0.0.1:$ARGV[0]");
