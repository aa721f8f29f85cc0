/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/loop.h"
#include "common/protocol.h"
#include "common/resolver.h"
#include "regress/unit.h"

/*
 * The resolver process's code, libunbound and all, against a DNS server of
 * thirty lines; questions come over a channel as they do in the daemons.
 */

static struct ipc	*asker, *server_end;
static char		 got[8192];
static size_t		 ngot;
static struct dns_answer last;
static uint8_t		 lastdata[16];
static struct timer	 limit;

/*
 * Answers by the first letter of the name: a address, n no such name, f
 * failure, s silence, t text of the wrong form.
 */
static void
serve(int fd)
{
	static const uint8_t a[] = "\300\14\0\1\0\1\0\0\0\74\0\4\300\0\2\1";
	static const uint8_t t[] = "\300\14\0\20\0\1\0\0\0\74\0\2\5x";
	uint8_t p[600];
	struct sockaddr_in from;
	socklen_t fromlen;
	ssize_t n;
	size_t q;

	for (;;) {
		fromlen = sizeof(from);
		n = recvfrom(fd, p, 512, 0, (struct sockaddr *)&from,
		    &fromlen);
		if (n < 18)
			continue;
		for (q = 12; q < 300 && p[q] != 0; q += p[q] + 1U)
			continue;
		q += 5;
		memset(p + 6, 0, 6);
		p[2] = 0x84;
		p[3] = 0x80;
		switch (p[13]) {
		case 's':
			continue;
		case 'n':
			p[3] |= 3;
			break;
		case 'f':
			p[3] |= 2;
			break;
		case 't':
			memcpy(p + q, t, sizeof(t) - 1);
			q += sizeof(t) - 1;
			p[7] = 1;
			break;
		default:
			memcpy(p + q, a, sizeof(a) - 1);
			q += sizeof(a) - 1;
			p[7] = 1;
		}
		(void)sendto(fd, p, q, 0, (struct sockaddr *)&from, fromlen);
	}
}

static pid_t
start_server(uint16_t *port)
{
	struct sockaddr_in sin;
	socklen_t n = sizeof(sin);
	pid_t pid;
	int fd;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK_INT(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	CHECK_INT(getsockname(fd, (struct sockaddr *)&sin, &n), 0);
	*port = ntohs(sin.sin_port);
	if ((pid = fork()) == 0) {
		alarm(60);
		serve(fd);
	}
	close(fd);
	return pid;
}

static int
on_answer(struct ipc *ipc, struct imsg *im)
{
	(void)ipc;
	CHECK_INT(dns_answer_parse(&im->data, &last), 0);
	CHECK_INT(ibuf_get_end(&im->data), 0);
	if (ngot < sizeof(got) - 1)
		got[ngot++] = (char)('0' + last.status);
	got[ngot] = '\0';
	if (last.nrec > 0)
		memcpy(lastdata, last.rec[0].data,
		    last.rec[0].len < 16 ? last.rec[0].len : 16);
	return 0;
}

static const struct ipc_verb asker_verbs[] = {
	{ VERB_ANSWER, PEER_BIT(PEER_RESOLVER), LIM_FRAME, IPC_NOFD,
	    on_answer }
};

static void
asker_gone(struct ipc *ipc)
{
	if (ipc == asker)
		asker = NULL;
}

static void
server_gone(struct ipc *ipc)
{
	resolver_peer_gone(ipc);
	if (ipc == server_end)
		server_end = NULL;
}

static void
join(void)
{
	int sv[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv), 0);
	asker = ipc_new(sv[0], PEER_RESOLVER, 0, asker_verbs, 1, asker_gone,
	    NULL);
	server_end = ipc_new(sv[1], PEER_SCANNER, 0, resolver_verbs,
	    resolver_nverbs, server_gone, NULL);
	resolver_peer_up(server_end);
}

static void
stop(void *arg)
{
	(void)arg;
	loop_stop();
}

/* Until so many answers have come, at most 3 s. */
static void
run(size_t want)
{
	int i;

	for (i = 0; i < 300 && ngot < want; i++) {
		timer_set(&limit, 10);
		loop_run();
	}
	timer_stop(&limit);
}

static void
ask(const char *name, unsigned type, unsigned ms)
{
	static uint32_t job;
	struct ibuf b;

	ibuf_init(&b);
	ibuf_add_str(&b, name);
	ibuf_add_u16(&b, (uint16_t)type);
	ibuf_add_u32(&b, ms);
	CHECK_INT(ipc_send(asker, VERB_ASK, ++job, -1, &b), 0);
	ibuf_free(&b);
}

static void
expect(const char *name, unsigned type, unsigned ms, const char *want)
{
	ngot = 0;
	got[0] = '\0';
	ask(name, type, ms);
	run(1);
	if (strcmp(got, want) != 0)
		printf("%s: %s\n", name, got);
	CHECK_STR(got, want);
}

static void
test_answers(void)
{
	expect("a.example", DNS_A, 3000, "0");
	CHECK(last.nrec == 1 && memcmp(lastdata, "\300\0\2\1", 4) == 0);
	CHECK(last.ttl > 0 && last.ttl <= 60);
	CHECK_INT(last.security, DNS_INSECURE);
	CHECK_STR(last.cname, "a.example");
	/* from the cache: the callback comes inside the call */
	expect("A.Example.", DNS_A, 3000, "0");
	expect("n.example", DNS_A, 3000, "2");
	expect("f.example", DNS_A, 3000, "3");
	expect("t.example", DNS_TXT, 3000, "3");
	/* names that libunbound would answer by itself */
	expect("a.test", DNS_A, 3000, "0");
	expect("a.invalid", DNS_A, 3000, "0");
	expect("9.0.0.127.in-addr.arpa", DNS_A, 3000, "0");
	expect("a.1.168.192.in-addr.arpa", DNS_A, 3000, "0");

	expect("s.example", DNS_A, 200, "4");
	expect("s.example", DNS_A, 0, "4");
	/* nothing that may be asked */
	expect("a..example", DNS_A, 1000, "3");
	expect("", DNS_A, 1000, "3");
	expect("a.example", 255, 1000, "3");
	expect("a.example", 0, 1000, "3");
}

static void
test_many(void)
{
	char name[32];
	int i;

	ngot = 0;
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "%c%d.many", "an"[i % 2], i / 2);
		ask(name, DNS_A, 3000);
	}
	run(1000);
	CHECK_INT(ngot, 1000);
	CHECK(strpbrk(got, "134") == NULL);

	/* with as many that nobody answers in the way */
	ngot = 0;
	for (i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "s%d.silent", i);
		ask(name, DNS_A, 1000);
	}
	expect("a-quick.example", DNS_A, 900, "0");

	/* the asker goes, everything open with it */
	ipc_close(asker);
	for (i = 0; i < 20 && server_end != NULL; i++) {
		timer_set(&limit, 10);
		loop_run();
	}
	CHECK(server_end == NULL);
	join();
	expect("a-next.example", DNS_A, 2000, "0");

	/* a frame that does not decode */
	CHECK_INT(ipc_send(asker, VERB_ASK, 1, -1, NULL), 0);
	for (i = 0; i < 20 && asker != NULL; i++) {
		timer_set(&limit, 10);
		loop_run();
	}
	CHECK(asker == NULL && server_end == NULL);
}

int
main(void)
{
	struct config_addrport addrport;
	struct config config;
	pid_t pid;

	signal(SIGPIPE, SIG_IGN);
	loop_init();
	timer_init(&limit, stop, NULL);
	memset(&config, 0, sizeof(config));
	CHECK_INT(netaddr_parse(&addrport.addr, "127.0.0.1"), 0);
	pid = start_server(&addrport.port);
	config.resolvers = &addrport;
	config.nresolvers = 1;
	CHECK_INT(resolver_init(&config, 0), 0);
	resolver_start();
	join();
	test_answers();
	test_many();
	kill(pid, SIGTERM);
	(void)waitpid(pid, NULL, 0);
	return unit_end();
}
