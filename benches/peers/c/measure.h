/*
 * What the clients in C and C++ have in common: see peers/src/lib.rs, of which this is the translation.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, WARM_UP = 500, SETTLE_SECONDS = 2 };

struct arguments {
    const char *mode;
    size_t size;
    size_t count;
    const char *url;
};

static inline void die(const char *what)
{
    fprintf(stderr, "error: %s\n", what);
    /* Other threads may be at work: no destructors. */
    _exit(1);
}

static inline struct arguments parse_arguments(int argc, char **argv)
{
    if (argc != 5) {
        die("usage: CLIENT MODE SIZE COUNT URL");
    }
    struct arguments arguments = { argv[1], strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10), argv[4] };
    return arguments;
}

static inline int is_mode(const struct arguments *arguments, const char *mode)
{
    return strcmp(arguments->mode, mode) == 0;
}

static inline char *make_payload(size_t size)
{
    char *payload = (char *)malloc(size);
    if (payload == NULL) {
        die("no memory");
    }
    for (size_t i = 0; i < size; i++) {
        payload[i] = (char)(i * 151 + 128);
    }
    return payload;
}

/* Text like that of many services; the server makes the same. */
static inline void make_json(char *text, size_t size, size_t number)
{
    char record[160];
    size_t filled = 0;
    /* Far apart, so that no message has the values of another. */
    number *= 1009;
    while (filled < size) {
        size_t length = (size_t)snprintf(
            record, sizeof record, "{\"id\":%zu,\"symbol\":\"NWS%zu\",\"price\":%zu,\"volume\":%zu,\"state\":\"open\"},", number,
            number % 97, number * 7919 % 100000, number * 104729 % 1000000);
        if (length > size - filled) {
            length = size - filled;
        }
        memcpy(text + filled, record, length);
        filled += length;
        number += 31;
    }
}

/* Different messages that are sent in turn: made before the time is taken. */
enum { VARIETY = 64 };

static inline char *make_variety(size_t size)
{
    char *texts = (char *)malloc(size * VARIETY);
    if (texts == NULL) {
        die("no memory");
    }
    for (size_t i = 0; i < VARIETY; i++) {
        make_json(texts + i * size, size, i);
    }
    return texts;
}

static inline int64_t wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int64_t cpu_ns(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return ((int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000 +
           ((int64_t)usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

struct section {
    int64_t cpu;
    int64_t wall;
};

static inline struct section section_begin(void)
{
    struct section section = { cpu_ns(), wall_ns() };
    return section;
}

static inline void section_end(struct section section, size_t count)
{
    int64_t cpu = cpu_ns() - section.cpu, wall = wall_ns() - section.wall;
    printf("cpu_ns=%.1f wall_ns=%.1f ", (double)cpu / (double)count, (double)wall / (double)count);
}

static inline int compare_samples(const void *left, const void *right)
{
    int64_t l = *(const int64_t *)left, r = *(const int64_t *)right;
    return (l > r) - (l < r);
}

static inline void print_round_trips(int64_t *samples, size_t count)
{
    qsort(samples, count, sizeof *samples, compare_samples);
    printf("p50_ns=%lld p99_ns=%lld ", (long long)samples[(count - 1) / 2],
           (long long)samples[(size_t)((double)(count - 1) * 0.99)]);
}

static inline void resident(size_t *bytes, size_t *threads)
{
    char line[256];
    unsigned long value;
    FILE *status = fopen("/proc/self/status", "r");
    if (status == NULL) {
        die("no /proc/self/status");
    }
    while (fgets(line, sizeof line, status) != NULL) {
        if (sscanf(line, "VmRSS: %lu", &value) == 1) {
            *bytes = value * 1024;
        } else if (sscanf(line, "Threads: %lu", &value) == 1) {
            *threads = value;
        }
    }
    fclose(status);
}

/* Memory of this process alone that it has written to. */
static inline size_t private_dirty(void)
{
    char line[256];
    unsigned long value, sum = 0;
    FILE *smaps = fopen("/proc/self/smaps", "r");
    if (smaps == NULL) {
        die("no /proc/self/smaps");
    }
    while (fgets(line, sizeof line, smaps) != NULL) {
        if (sscanf(line, "Private_Dirty: %lu", &value) == 1) {
            sum += value * 1024;
        }
    }
    fclose(smaps);
    return sum;
}

static inline void print_private(size_t before, size_t count)
{
    size_t rss, threads = 0;
    sleep(SETTLE_SECONDS);
    resident(&rss, &threads);
    printf("private_bytes=%zu threads=%zu ", (private_dirty() - before) / count, threads);
}

static inline void print_idle(size_t before, size_t count)
{
    size_t after = 0, threads = 0;
    sleep(SETTLE_SECONDS);
    resident(&after, &threads);
    printf("rss_bytes=%zu threads=%zu ", after > before ? (after - before) / count : 0, threads);
}

#endif
