// A machine's USB sockets for tests, simulated by umockdev: plugs serial adapters in and pulls them out, on command.
//
// Run under umockdev-wrapper. Prints the directory of the simulated machine, then obeys one line of tab-separated words each
// and answers "ok" when the events have been sent:
//     plug NODE SOCKET VENDOR PRODUCT SERIAL INTERFACE DRIVER MINOR TAGS     "-" for none; NODE such as ttyUSB0
//     change NODE
//     pull NODE
#include <stdio.h>
#include <string.h>
#include <umockdev.h>

#define MAXIMUM_PORTS 64

static struct {
    char node[32];
    char *usb, *interface, *port, *tty;
} ports[MAXIMUM_PORTS];

static int find(const char *node) {
    for (int i = 0; i < MAXIMUM_PORTS; i++)
        if (strcmp(ports[i].node, node) == 0) return i;
    return -1;
}

static int plug(UMockdevTestbed *bed, char **word) {
    int i = find("");
    if (i < 0) return -1;
    snprintf(ports[i].node, sizeof ports[i].node, "%s", word[1]);
    char name[64], path[128], node[64], link[128];
    snprintf(name, sizeof name, "%s:1.%s", word[2], word[6]);
    snprintf(path, sizeof path, "pci-0000:00:14.0-usb-0:%s:1.%s", word[2], word[6]);
    snprintf(node, sizeof node, "/dev/%s", word[1]);
    snprintf(link, sizeof link, "../../../../bus/usb-serial/drivers/%s", word[7]);
    ports[i].usb = umockdev_testbed_add_device(
        bed, "usb", word[2], NULL, "idVendor", word[3], "idProduct", word[4], "manufacturer", "Test", "product",
        "USB Serial", NULL, "DEVTYPE", "usb_device", NULL);
    if (strcmp(word[5], "-") != 0) umockdev_testbed_set_attribute(bed, ports[i].usb, "serial", word[5]);
    ports[i].interface = umockdev_testbed_add_device(
        bed, "usb", name, ports[i].usb, "bInterfaceNumber", word[6], "bInterfaceClass", "ff",
        NULL, "DEVTYPE", "usb_interface", NULL);
    char dev[32];
    snprintf(dev, sizeof dev, "188:%s", word[8]);
    ports[i].port = umockdev_testbed_add_device(bed, "usb-serial", word[1], ports[i].interface, NULL, NULL);
    umockdev_testbed_set_attribute_link(bed, ports[i].port, "driver", link);
    int has_tags = strcmp(word[9], "-") != 0;
    ports[i].tty = umockdev_testbed_add_device(
        bed, "tty", word[1], ports[i].port, "dev", dev, NULL, "DEVNAME", node, "MAJOR", "188", "MINOR", word[8],
        "ID_PATH", path, has_tags ? "TAGS" : NULL, word[9], has_tags ? "CURRENT_TAGS" : NULL, word[9], NULL);
    return ports[i].tty ? 0 : -1;
}

static int pull(UMockdevTestbed *bed, const char *node) {
    int i = find(node);
    if (i < 0) return -1;
    umockdev_testbed_uevent(bed, ports[i].tty, "remove");
    umockdev_testbed_remove_device(bed, ports[i].tty);
    umockdev_testbed_remove_device(bed, ports[i].port);
    umockdev_testbed_remove_device(bed, ports[i].interface);
    umockdev_testbed_remove_device(bed, ports[i].usb);
    g_free(ports[i].tty);
    g_free(ports[i].port);
    g_free(ports[i].interface);
    g_free(ports[i].usb);
    memset(&ports[i], 0, sizeof ports[i]);
    return 0;
}

int main(void) {
    UMockdevTestbed *bed = umockdev_testbed_new();
    char *root = umockdev_testbed_get_root_dir(bed);
    printf("%s\n", root);
    fflush(stdout);
    char line[512];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        char *word[10] = {0};
        int count = 0;
        for (char *rest = line, *next; count < 10 && (next = strsep(&rest, "\t"));) word[count++] = next;
        int result = -1;
        if (count == 10 && strcmp(word[0], "plug") == 0) result = plug(bed, word);
        if (count == 2 && strcmp(word[0], "pull") == 0) result = pull(bed, word[1]);
        if (count == 2 && strcmp(word[0], "change") == 0 && find(word[1]) >= 0) {
            umockdev_testbed_uevent(bed, ports[find(word[1])].tty, "change");
            result = 0;
        }
        puts(result == 0 ? "ok" : "failed");
        fflush(stdout);
    }
    g_free(root);
    g_object_unref(bed);
    return 0;
}
