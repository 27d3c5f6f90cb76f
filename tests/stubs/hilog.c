/*
 * Stub of the platform's libhilog_ndk.z.so. Writes each line to stderr, or to the end of the file that
 * NWS_HILOG_FILE names:
 *
 *     I A00057/NetWebSocket: message
 *
 * It accepts the format "%{public}s", or one whose percent signs are all doubled. Any other percent sign means that a message
 * was passed as the format, so that a peer's bytes would control printf. It accepts no domain above 0xFFFF and no tag above 31
 * bytes, because the platform silently drops the line or cuts the tag. Anything else aborts.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOG_DEBUG = 3, LOG_FATAL = 7 };
enum { DOMAIN_MAX = 0xFFFF, TAG_BYTES_MAX = 31 };

static void reject(const char *why, const char *what)
{
    fprintf(stderr, "libhilog_ndk stub: %s: \"%s\"\n", why, what == NULL ? "(null)" : what);
    abort();
}

/* The message that a format without directives stands for; the caller frees it. */
static char *undouble(const char *format)
{
    char *message = malloc(strlen(format) + 1);
    char *end = message;
    for (const char *at = format; message != NULL && *at != '\0'; at++) {
        if (*at == '%' && *++at != '%') {
            reject("a message was passed as the format", format);
        }
        *end++ = *at;
    }
    if (message != NULL) {
        *end = '\0';
    }
    return message;
}

static void write_line(int level, unsigned int domain, const char *tag, const char *message)
{
    int size = snprintf(NULL, 0, "%c A%05X/%s: %s\n", "DIWEF"[level - LOG_DEBUG], domain, tag, message);
    char *line = size < 0 ? NULL : malloc((size_t)size + 1);
    if (line == NULL) {
        return;
    }
    snprintf(line, (size_t)size + 1, "%c A%05X/%s: %s\n", "DIWEF"[level - LOG_DEBUG], domain, tag, message);

    /* One write per line keeps the lines of several threads and processes whole. */
    const char *path = getenv("NWS_HILOG_FILE");
    int file = path == NULL ? STDERR_FILENO : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0 || write(file, line, (size_t)size) != size) {
        perror("libhilog_ndk stub: cannot write a line");
    }
    if (file > STDERR_FILENO) {
        close(file);
    }
    free(line);
}

int OH_LOG_Print(int type, int level, unsigned int domain, const char *tag, const char *format, ...)
{
    (void)type;
    if (level < LOG_DEBUG || level > LOG_FATAL) {
        reject("no such level, of the tag", tag);
    }
    if (domain > DOMAIN_MAX) {
        reject("the domain is above 0xFFFF, of the tag", tag);
    }
    if (tag == NULL || strlen(tag) > TAG_BYTES_MAX) {
        reject("the tag is missing or over 31 bytes", tag);
    }
    if (format == NULL) {
        reject("there is no format, of the tag", tag);
    }
    if (strcmp(format, "%{public}s") == 0) {
        va_list arguments;
        va_start(arguments, format);
        const char *message = va_arg(arguments, const char *);
        va_end(arguments);
        write_line(level, domain, tag, message == NULL ? "(null)" : message);
    } else {
        char *message = undouble(format);
        write_line(level, domain, tag, message == NULL ? "(out of memory)" : message);
        free(message);
    }
    return 0;
}

/* Everything is written here; a test reads what it wants. */
bool OH_LOG_IsLoggable(unsigned int domain, const char *tag, int level)
{
    (void)domain;
    (void)tag;
    (void)level;
    return true;
}
