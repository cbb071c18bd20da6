/* SPDX-License-Identifier: ISC */
/* CARP packets from an interface or a capture file, without link header. */
#include <sys/signalfd.h>

#include <carp/carp.h>
#include <err.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl_capture.h"

#define FILTER	    "ip proto 112 or ip6 proto 112"
#define SNAPLEN	    2048 /* far beyond any advertisement */
#define DOWN_MS	    100	 /* between looks at an interface that is down */
#define TAGS_MAX    4	 /* VLAN tags before the IP header */

/* Types of the frame's contents (IEEE). */
#define TYPE_IP	    0x0800
#define TYPE_IP6    0x86dd
#define TYPE_8021Q  0x8100
#define TYPE_8021AD 0x88a8
#define TYPE_QINQ   0x9100

#define ETHER_LEN   14
#define SLL_LEN	    16
#define SLL2_LEN    20
#define LOOP_LEN    4

struct capture {
	pcap_t *pcap;
	const char *name; /* of file or interface */
	int fd;		  /* live: to poll; otherwise -1 */
	int signals;	  /* live: a signalfd; otherwise -1 */
};

static enum ctl_exit
say_activate(const struct capture *cap, int error)
{
	switch (error) {
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		warnx("listening on %s needs the capability CAP_NET_RAW: be "
		      "root",
		    cap->name);
		return CTL_DENIED;
	case PCAP_ERROR_NO_SUCH_DEVICE:
		warnx("there is no interface %s", cap->name);
		return CTL_FAILED;
	case PCAP_ERROR_IFACE_NOT_UP:
		warnx("interface %s is down", cap->name);
		return CTL_FAILED;
	default:
		warnx("listening on %s: %s", cap->name, pcap_geterr(cap->pcap));
		return CTL_FAILED;
	}
}

static enum ctl_exit
set_filter(struct capture *cap)
{
	struct bpf_program prog;
	int rc = PCAP_ERROR;

	if (pcap_compile(cap->pcap, &prog, FILTER, 1, PCAP_NETMASK_UNKNOWN) ==
	    0) {
		rc = pcap_setfilter(cap->pcap, &prog);
		pcap_freecode(&prog);
	}
	if (rc == 0)
		return CTL_OK;
	warnx("listening on %s: %s", cap->name, pcap_geterr(cap->pcap));
	return CTL_FAILED;
}

/* So that SIGINT and SIGTERM end the program where poll() sees them. */
static int
open_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static enum ctl_exit
open_live(struct capture *cap)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	int rc;

	cap->pcap = pcap_create(cap->name, why);
	if (cap->pcap == NULL) {
		warnx("listening on %s: %s", cap->name, why);
		return CTL_FAILED;
	}
	(void)pcap_set_snaplen(cap->pcap, SNAPLEN);
	(void)pcap_set_promisc(cap->pcap, 0);
	(void)pcap_set_immediate_mode(cap->pcap, 1);
	rc = pcap_activate(cap->pcap);
	if (rc < 0)
		return say_activate(cap, rc);
	if (set_filter(cap) != CTL_OK)
		return CTL_FAILED;
	cap->fd = pcap_get_selectable_fd(cap->pcap);
	cap->signals = open_signals();
	if (cap->fd == -1 || cap->signals == -1 ||
	    pcap_setnonblock(cap->pcap, 1, why) != 0) {
		warnx("listening on %s: it cannot be waited for", cap->name);
		return CTL_FAILED;
	}
	return CTL_OK;
}

static enum ctl_exit
open_file(struct capture *cap)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	bool standard = strcmp(cap->name, "-") == 0;
	FILE *f = standard ? stdin : fopen(cap->name, "re");

	if (standard)
		cap->name = "standard input";
	if (f == NULL) {
		warn("cannot read %s", cap->name);
		return errno == EACCES ? CTL_DENIED : CTL_FAILED;
	}
	cap->pcap = pcap_fopen_offline(f, why);
	if (cap->pcap != NULL)
		return CTL_OK;
	warnx("%s is not a capture file: %s", cap->name, why);
	if (!standard)
		(void)fclose(f);
	return CTL_FAILED;
}

static enum ctl_exit
check_link(const struct capture *cap)
{
	const char *name;
	int dlt = pcap_datalink(cap->pcap);

	switch (dlt) {
	case DLT_EN10MB:
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
	case DLT_LINUX_SLL:
	case DLT_LINUX_SLL2:
	case DLT_NULL:
	case DLT_LOOP:
		return CTL_OK;
	default:
		name = pcap_datalink_val_to_name(dlt);
		warnx("%s: the link type %s (%d) is not known here", cap->name,
		    name ? name : "?", dlt);
		return CTL_FAILED;
	}
}

enum ctl_exit
capture_open(struct capture **ret, const struct ctl *c)
{
	struct capture *cap = calloc(1, sizeof(*cap));
	enum ctl_exit rc;

	if (cap == NULL) {
		warn("calloc");
		return CTL_FAILED;
	}
	cap->fd = cap->signals = -1;
	cap->name = c->file ? c->file : c->ifname;
	rc = c->file ? open_file(cap) : open_live(cap);
	if (rc == CTL_OK)
		rc = check_link(cap);
	if (rc != CTL_OK) {
		capture_close(cap);
		return rc;
	}
	*ret = cap;
	return CTL_OK;
}

void
capture_close(struct capture *cap)
{
	if (cap == NULL)
		return;
	if (cap->pcap != NULL)
		pcap_close(cap->pcap);
	if (cap->signals != -1)
		(void)close(cap->signals);
	free(cap);
}

static unsigned
be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* Drops n bytes from the front. */
static bool
skip(struct capture_packet *pkt, size_t n)
{
	if (pkt->len < n)
		return false;
	pkt->ip += n;
	pkt->len -= n;
	pkt->wire -= n < pkt->wire ? n : pkt->wire;
	return true;
}

/* A type of contents follows, perhaps after VLAN tags; false if not IP. */
static bool
skip_tags(struct capture_packet *pkt, unsigned type)
{
	const uint8_t *tag;

	for (int i = 0; i < TAGS_MAX; i++) {
		if (type != TYPE_8021Q && type != TYPE_8021AD &&
		    type != TYPE_QINQ)
			break;
		tag = pkt->ip;
		if (!skip(pkt, 4))
			return false;
		pkt->vlan = (int)(be16(tag) & 0x0fff);
		type = be16(tag + 2);
	}
	return type == TYPE_IP || type == TYPE_IP6;
}

static bool
skip_link(struct capture_packet *pkt, int dlt)
{
	const uint8_t *p = pkt->ip;

	switch (dlt) {
	case DLT_EN10MB:
		if (!skip(pkt, ETHER_LEN))
			return false;
		pkt->ether = p + 6;
		return skip_tags(pkt, be16(p + 12));
	case DLT_LINUX_SLL:
		return skip(pkt, SLL_LEN) && skip_tags(pkt, be16(p + 14));
	case DLT_LINUX_SLL2:
		return skip(pkt, SLL2_LEN) && skip_tags(pkt, be16(p));
	case DLT_NULL:
	case DLT_LOOP:
		/* The family in somebody's byte order: the IP header says. */
		return skip(pkt, LOOP_LEN);
	default:
		return true;
	}
}

/* Protocol 112: the rest is carp_decode()'s. */
static bool
is_carp(const struct capture_packet *pkt)
{
	if (pkt->len >= 10 && pkt->ip[0] >> 4 == 4)
		return pkt->ip[9] == CARP_PROTO;
	if (pkt->len >= 7 && pkt->ip[0] >> 4 == 6)
		return pkt->ip[6] == CARP_PROTO;
	return false;
}

/* While the interface is down libpcap must ask whether it still exists. */
static int
longest_wait(const struct capture *cap)
{
	return pcap_get_required_select_timeout(cap->pcap) ? DOWN_MS : -1;
}

/* timeout 0: only looks, -1: waits.  False: the capture is to end. */
static bool
wait_live(const struct capture *cap, int timeout)
{
	struct pollfd p[3] = {
		{ .fd = cap->fd, .events = POLLIN },
		{ .fd = cap->signals, .events = POLLIN },
		{ .fd = STDOUT_FILENO },
	};

	while (poll(p, 3, timeout) == -1) {
		if (errno != EINTR)
			return false;
	}
	return p[1].revents == 0 && p[2].revents == 0;
}

enum ctl_exit
capture_next(struct capture *cap, struct capture_packet *ret)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	int rc, timeout = 0;

	for (;;) {
		memset(ret, 0, sizeof(*ret));
		ret->vlan = -1;
		if (cap->fd != -1 && !wait_live(cap, timeout))
			return CTL_OK;
		rc = pcap_next_ex(cap->pcap, &h, &data);
		if (rc == PCAP_ERROR_BREAK)
			return CTL_OK;
		if (rc < 0) {
			warnx("%s: %s", cap->name, pcap_geterr(cap->pcap));
			return CTL_FAILED;
		}
		timeout = rc == 0 ? longest_wait(cap) : 0;
		if (rc == 0)
			continue;
		ret->time = h->ts;
		ret->ip = data;
		ret->len = h->caplen;
		ret->wire = h->len;
		if (skip_link(ret, pcap_datalink(cap->pcap)) && is_carp(ret))
			return CTL_OK;
		ret->ip = NULL;
	}
}
