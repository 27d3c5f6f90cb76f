/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Whose authorities are trusted: those that users of the device have installed, and what an app declares in its
 * network_config.json. A process reads its package once, so each app runs in its own process: this program with the app's name
 * as its argument. The device's folders are below NET_WEBSOCKET_DEVICE_ROOT, which only a build for another system than
 * OpenHarmony heeds; what libnet_ssl.so tells comes from tests/stubs/net_ssl.c. With the argument "old" that library has API
 * 12, with "none" it is missing.
 */

#include "check.h"

#include <dlfcn.h>
#include <network/netstack/net_websocket_ext.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../stubs/net_ssl.h"

#define CONFIG "resources/base/profile/network_config.json"
#define PACKAGES "/data/storage/el1/bundle"
#define USERS "/data/certificates/user_cacerts"

static const char *ws;
static const char *wss;
static const char *wss_untrusted;
/* A folder of mkdtemp. */
static char root[64];

/* --- the device --- */

static void make_folders(const char *path)
{
    char part[256];
    char *slash;
    snprintf(part, sizeof part, "%s%s/", root, path);
    for (slash = strchr(part + strlen(root) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(part, 0700);
        *slash = '/';
    }
}

static void write_file(const char *folder, const char *name, const void *bytes, size_t length)
{
    char path[256];
    FILE *file;
    make_folders(folder);
    snprintf(path, sizeof path, "%s%s/%s", root, folder, name);
    file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, length, file) != length || fclose(file) != 0) {
        check_failed(__FILE__, __LINE__, "%s: %s", path, strerror(errno));
    }
}

static void put16(unsigned char *at, size_t value)
{
    at[0] = (unsigned char)value;
    at[1] = (unsigned char)(value >> 8);
}

/* A package with one file, stored as it is; without a text, one that has another file. */
static void install_package(const char *module, const char *text)
{
    const char *name = text == NULL ? "module.json" : CONFIG;
    const char *inside = text == NULL ? "{}" : text;
    size_t name_length = strlen(name), length = strlen(inside), at = 0, directory;
    unsigned char package[2048] = { 'P', 'K', 3, 4, 20 };
    char file[64];
    put16(package + 18, length);
    put16(package + 22, length);
    put16(package + 26, name_length);
    at = 30;
    memcpy(package + at, name, name_length);
    at += name_length;
    memcpy(package + at, inside, length);
    at += length;
    directory = at;
    memcpy(package + at, "PK\1\2\24\0\24", 7);
    put16(package + at + 20, length);
    put16(package + at + 24, length);
    put16(package + at + 28, name_length);
    memcpy(package + at + 46, name, name_length);
    at += 46 + name_length;
    memcpy(package + at, "PK\5\6", 4);
    put16(package + at + 8, 1);
    put16(package + at + 10, 1);
    put16(package + at + 12, at - directory);
    put16(package + at + 16, directory);
    at += 22;
    snprintf(file, sizeof file, "%s.hap", module);
    write_file(PACKAGES, file, package, at);
}

/* The authority of WSS_UNTRUSTED_URL, for one of the device's users. */
static void install_authority(const char *user)
{
    char path[512], folder[64];
    char *slash;
    static char text[65536];
    FILE *file;
    size_t length;
    snprintf(path, sizeof path, "%s", required("CA_FILE"));
    slash = strrchr(path, '/');
    snprintf(slash, sizeof path - (size_t)(slash - path), "/untrusted-ca.pem");
    file = fopen(path, "rb");
    if (file == NULL) {
        check_failed(__FILE__, __LINE__, "%s: %s", path, strerror(errno));
        return;
    }
    length = fread(text, 1, sizeof text, file);
    fclose(file);
    snprintf(folder, sizeof folder, "%s/%s", USERS, user);
    write_file(folder, "authority.pem", text, length);
}

/* --- clients --- */

static struct NWS_Options default_options(void)
{
    struct NWS_Options options;
    CHECK_INT(NWS_InitOptions(&options, sizeof options), WEBSOCKET_OK);
    return options;
}

static void opens(const char *url, const struct NWS_Options *options)
{
    struct Probe *probe = probe_new();
    CHECK_INT(NWS_SetOptions(probe->client, options), WEBSOCKET_OK);
    CHECK_INT(probe_connect(probe, url, "/"), WEBSOCKET_OK);
    probe_await(probe, OPEN, 0);
    probe_finish(probe);
}

static void fails(const char *url, const struct NWS_Options *options, const char *why)
{
    struct Probe *probe = probe_new();
    CHECK_INT(NWS_SetOptions(probe->client, options), WEBSOCKET_OK);
    CHECK_INT(probe_connect(probe, url, "/"), WEBSOCKET_OK);
    CHECK_HAS(probe_await(probe, ERROR, 0)->text, why);
    probe_await_end(probe);
    CHECK_INT(probe_count(probe, OPEN), 0);
    probe_destroy(probe);
}

/* --- apps --- */

static void opens_by_default(void)
{
    struct NWS_Options options = default_options();
    opens(wss_untrusted, &options);
    opens(wss, &options);
    options.trustUserAuthorities = NWS_USER_AUTHORITIES_NOT_TRUSTED;
    fails(wss_untrusted, &options, "trustUserAuthorities");
    opens(wss, &options);
    options.trustUserAuthorities = NWS_USER_AUTHORITIES_TRUSTED;
    opens(wss_untrusted, &options);
}

static void opens_when_asked(void)
{
    struct NWS_Options options = default_options();
    fails(wss_untrusted, &options, "trustUserAuthorities");
    opens(wss, &options);
    options.trustUserAuthorities = NWS_USER_AUTHORITIES_TRUSTED;
    opens(wss_untrusted, &options);
    options.trustUserAuthorities = NWS_USER_AUTHORITIES_NOT_TRUSTED;
    fails(wss_untrusted, &options, "trustUserAuthorities");
    /* The app's own authorities take the place of all of them, unless they are added. */
    options.trustUserAuthorities = NWS_USER_AUTHORITIES_TRUSTED;
    options.caPath = required("CA_FILE");
    fails(wss_untrusted, &options, "not in the trust store");
    options.caPathAddsToSystem = 1;
    opens(wss_untrusted, &options);
}

static void no_app(void)
{
    install_authority("100");
    opens_by_default();
}

static void app_that_says_nothing(void)
{
    install_authority("100");
    install_package("entry", NULL);
    opens_by_default();
}

static void app_that_trusts(void)
{
    install_authority("100");
    install_package("entry", "{\"trust-global-user-ca\": false, \"trust-current-user-ca\": true}");
    opens_by_default();
}

static void app_that_does_not_trust(void)
{
    install_authority("100");
    install_package("entry", "{ \"network-security-config\": { \"domain-config\": [] }, \"trust-current-user-ca\": false }");
    opens_when_asked();
}

static void app_with_a_module_that_does_not_trust(void)
{
    install_authority("100");
    install_package("entry", NULL);
    install_package("feature", "{\"trust-current-user-ca\": false}");
    opens_when_asked();
}

static void app_whose_package_is_damaged(void)
{
    install_authority("100");
    write_file(PACKAGES, "entry.hap", "no package", 10);
    opens_when_asked();
}

static void app_whose_packages_are_elsewhere(void)
{
    install_authority("100");
    make_folders(PACKAGES);
    opens_when_asked();
}

static void authority_for_all_users(void)
{
    install_authority("0");
    install_package("entry", "{\"trust-global-user-ca\": true, \"trust-current-user-ca\": true}");
    opens_when_asked();
}

static void authority_of_another_user(void)
{
    struct NWS_Options options = default_options();
    install_authority("101");
    fails(wss_untrusted, &options, "not in the trust store");
    options.trustUserAuthorities = NWS_USER_AUTHORITIES_TRUSTED;
    fails(wss_untrusted, &options, "not in the trust store");
}

static void authority_that_comes_and_goes(void)
{
    struct NWS_Options options = default_options();
    char path[256];
    fails(wss_untrusted, &options, "not in the trust store");
    install_authority("100");
    opens(wss_untrusted, &options);
    snprintf(path, sizeof path, "%s%s/100/authority.pem", root, USERS);
    CHECK_INT(unlink(path), 0);
    fails(wss_untrusted, &options, "not in the trust store");
    opens(wss, &options);
}

static const struct App {
    const char *name;
    void (*run)(void);
} apps[] = {
#define APP(name) { #name, name }
    APP(no_app),
    APP(app_that_says_nothing),
    APP(app_that_trusts),
    APP(app_that_does_not_trust),
    APP(app_with_a_module_that_does_not_trust),
    APP(app_whose_package_is_damaged),
    APP(app_whose_packages_are_elsewhere),
    APP(authority_for_all_users),
    APP(authority_of_another_user),
    APP(authority_that_comes_and_goes),
};

/* Runs this program as an app on its own simulated device. */
static int run_app(const char *name)
{
    char command[128];
    int status = -1;
    pid_t child;
    snprintf(root, sizeof root, "/tmp/net_websocket-trust-XXXXXX");
    if (mkdtemp(root) == NULL) {
        return -1;
    }
    setenv("NET_WEBSOCKET_DEVICE_ROOT", root, 1);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "trust", "app", name, (char *)NULL);
        _exit(126);
    }
    if (child > 0) {
        waitpid(child, &status, 0);
    }
    unsetenv("NET_WEBSOCKET_DEVICE_ROOT");
    snprintf(command, sizeof command, "rm -r '%s'", root);
    return system(command) == 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int is_app(const char *name)
{
    size_t at;
    check_begin(name, 120);
    snprintf(root, sizeof root, "%s", required("NET_WEBSOCKET_DEVICE_ROOT"));
    for (at = 0; at < sizeof apps / sizeof *apps; at++) {
        if (strcmp(apps[at].name, name) == 0) {
            check_run(name, apps[at].run);
        }
    }
    return check.failed == 0 && check.passed == 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Not by RUN: whether an app passes is its exit status. */
static void run_apps(void)
{
    size_t at;
    for (at = 0; at < sizeof apps / sizeof *apps; at++) {
        if (run_app(apps[at].name) == EXIT_SUCCESS) {
            check.passed++;
        } else {
            check.failed++;
            printf("FAIL %s\n", apps[at].name);
        }
    }
}

/* --- what the app declares --- */

static struct NWS_Options strict_options(void)
{
    struct NWS_Options options = default_options();
    options.networkSecurityConfig = NWS_NETWORK_SECURITY_CONFIG_STRICT;
    return options;
}

static void declare(const char *host, const char *name, const char *value)
{
    unsetenv("NWS_SSL_PINS");
    unsetenv("NWS_SSL_ANCHORS");
    unsetenv("NWS_SSL_CLEARTEXT");
    unsetenv("NWS_SSL_COMPONENT");
    unsetenv("NWS_SSL_STATUS");
    setenv("NWS_SSL_HOST", host, 1);
    setenv(name, value, 1);
}

static void strict_enforces_declared_pins(void)
{
    static const char wrong[] = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    struct NWS_CertificatePinning own = { wrong, 0, NULL };
    struct NWS_Options platform = default_options(), strict = strict_options();
    char pins[512];
    declare("localhost", "NWS_SSL_PINS", wrong);
    fails(wss, &strict, "not among those pinned by network_config.json (1)");
    opens(wss, &platform);
    snprintf(pins, sizeof pins, "%s;sha256//%s", wrong, required("SERVER_PIN"));
    declare("localhost", "NWS_SSL_PINS", pins);
    opens(wss, &strict);
    /* The pins of the options are checked too. */
    strict.certificatePinning = &own;
    fails(wss, &strict, "pinned by certificatePinning (1)");
    strict.certificatePinning = NULL;
    /* Skipping verification skips no pin. */
    strict.skipServerCertVerification = 1;
    opens(wss, &strict);
    declare("localhost", "NWS_SSL_PINS", wrong);
    fails(wss, &strict, "pinned by network_config.json");
    strict.skipServerCertVerification = 0;
    declare("other.example", "NWS_SSL_PINS", wrong);
    opens(wss, &strict);
    declare("localhost", "NWS_SSL_PINS", "sha256//FEDCBA987654321");
    fails(wss, &strict, "not of SHA-256 digests");
}

static void strict_adds_declared_anchors(void)
{
    struct NWS_Options platform = default_options(), strict = strict_options();
    __typeof__(&stub_lent) lent = NULL;
    void *library = dlopen("libnet_ssl.so", RTLD_NOW);
    char anchors[256], command[128];
    REQUIRE(library != NULL);
    *(void **)&lent = dlsym(library, "stub_lent");
    REQUIRE(lent != NULL);
    snprintf(root, sizeof root, "/tmp/net_websocket-trust-XXXXXX");
    REQUIRE(mkdtemp(root) != NULL);
    install_authority("declared");
    snprintf(anchors, sizeof anchors, "/nonexistent;%s%s/declared", root, USERS);
    declare("localhost", "NWS_SSL_ANCHORS", anchors);
    opens(wss_untrusted, &strict);
    opens(wss, &strict);
    fails(wss_untrusted, &platform, "not in the trust store");
    strict.caPath = required("CA_FILE");
    opens(wss_untrusted, &strict);
    strict.caPath = NULL;
    declare("other.example", "NWS_SSL_ANCHORS", anchors);
    fails(wss_untrusted, &strict, "not in the trust store");
    CHECK_INT(lent(), 0);
    snprintf(command, sizeof command, "rm -r '%s'", root);
    CHECK_INT(system(command), 0);
}

static void strict_enforces_a_declared_ban_of_clear_text(void)
{
    struct NWS_Options platform = default_options(), strict = strict_options();
    declare("127.0.0.1", "NWS_SSL_CLEARTEXT", "0");
    fails(ws, &strict, "use wss");
    opens(ws, &platform);
    opens(wss, &strict);
    setenv("NWS_SSL_COMPONENT", "1", 1);
    fails(ws, &strict, "forbids connections without TLS");
    setenv("NWS_SSL_COMPONENT", "0", 1);
    opens(ws, &strict);
    declare("other.example", "NWS_SSL_CLEARTEXT", "0");
    opens(ws, &strict);
}

/* From 127.0.0.1, about which nothing is declared, to the other name of this machine. */
static void checks_the_target_of_a_redirect_too(void)
{
    struct NWS_Options platform = default_options(), strict = strict_options();
    struct Answerer redirector;
    char target[URL_BYTES];
    snprintf(target, sizeof target, "ws://localhost%s", strrchr(ws, ':'));
    declare("localhost", "NWS_SSL_CLEARTEXT", "0");
    redirector_start(&redirector, target);
    fails(redirector.url, &strict, "connecting to localhost");
    answerer_end(&redirector);
    redirector_start(&redirector, target);
    opens(redirector.url, &platform);
    answerer_end(&redirector);
}

static void strict_fails_when_the_system_does_not_answer(void)
{
    struct NWS_Options platform = default_options(), strict = strict_options();
    declare("localhost", "NWS_SSL_STATUS", "2305999");
    fails(ws, &strict, "(2305999)");
    fails(wss, &strict, "networkSecurityConfig 'platform' does not ask");
    opens(wss, &platform);
    declare("localhost", "NWS_SSL_STATUS", "0");
    opens(ws, &strict);
}

static void an_old_system_provides_pins_only(void)
{
    struct NWS_Options platform = default_options(), strict = strict_options();
    declare("localhost", "NWS_SSL_PINS", required("SERVER_PIN"));
    opens(wss, &strict);
    fails(ws, &strict, "older than API 18");
    opens(ws, &platform);
}

static void strict_fails_without_the_system_library(void)
{
    struct NWS_Options platform = default_options(), strict = strict_options();
    fails(wss, &strict, "older than API 12");
    fails(ws, &strict, "older than API 18");
    opens(ws, &platform);
    opens(wss, &platform);
}

int main(int count, char **arguments)
{
    const char *kind = count > 1 ? arguments[1] : "";
    ws = getenv("WS_URL");
    wss = getenv("WSS_URL");
    wss_untrusted = getenv("WSS_UNTRUSTED_URL");
    if (strcmp(kind, "app") == 0) {
        return is_app(arguments[2]);
    }
    check_begin("trust", 300);
    if (strcmp(kind, "old") == 0) {
        RUN(an_old_system_provides_pins_only);
        return check_end();
    }
    if (strcmp(kind, "none") == 0) {
        RUN(strict_fails_without_the_system_library);
        return check_end();
    }
    RUN(strict_enforces_declared_pins);
    RUN(strict_adds_declared_anchors);
    RUN(strict_enforces_a_declared_ban_of_clear_text);
    RUN(checks_the_target_of_a_redirect_too);
    RUN(strict_fails_when_the_system_does_not_answer);
    if (strcmp(kind, "device") == 0) {
        printf("skip: apps and the authorities of users, whose folders are those of a device in this build\n");
    } else {
        run_apps();
    }
    return check_end();
}
