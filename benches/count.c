/*
 * A plugin of QEMU that counts the instructions a program executes in user space, in all of its threads:
 *
 *   QEMU_PLUGIN=file=count.so,out=FILE qemu-ARCH PROGRAM
 *
 * It writes the number to FILE when the program ends. Debian ships QEMU without the header for plugins, so what is used of
 * it is declared here, as of version 1 of that interface.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct block;
enum { NO_REGISTERS = 0 };

typedef void (*on_translated)(plugin_id plugin, struct block *block);
typedef void (*on_executed)(unsigned int processor, void *instructions);
typedef void (*on_end)(plugin_id plugin, void *unused);

extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id plugin, on_translated callback);
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct block *block, on_executed callback, int registers, void *instructions);
extern void qemu_plugin_register_atexit_cb(plugin_id plugin, on_end callback, void *unused);
extern size_t qemu_plugin_tb_n_insns(const struct block *block);

#define EXPORTED __attribute__((visibility("default")))

/* QEMU looks both up by their names. */
EXPORTED int qemu_plugin_version = 1;
EXPORTED int qemu_plugin_install(plugin_id plugin, const void *about, int count, char **values);

static atomic_uint_fast64_t executed;
static const char *file;

static void add(unsigned int processor, void *instructions)
{
    (void)processor;
    atomic_fetch_add_explicit(&executed, (uintptr_t)instructions, memory_order_relaxed);
}

static void translated(plugin_id plugin, struct block *block)
{
    (void)plugin;
    qemu_plugin_register_vcpu_tb_exec_cb(block, add, NO_REGISTERS, (void *)(uintptr_t)qemu_plugin_tb_n_insns(block));
}

static void write_number(plugin_id plugin, void *unused)
{
    (void)plugin, (void)unused;
    FILE *out = fopen(file, "w");
    if (out == NULL || fprintf(out, "%" PRIu64 "\n", (uint64_t)executed) < 0 || fclose(out) != 0) {
        perror(file);
        abort();
    }
}

int qemu_plugin_install(plugin_id plugin, const void *about, int count, char **values)
{
    (void)about;
    for (int i = 0; i < count; i++) {
        if (strncmp(values[i], "out=", 4) == 0) {
            file = strdup(values[i] + 4);
        }
    }
    if (file == NULL) {
        fprintf(stderr, "count: no out=FILE\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(plugin, translated);
    qemu_plugin_register_atexit_cb(plugin, write_number, NULL);
    return 0;
}
