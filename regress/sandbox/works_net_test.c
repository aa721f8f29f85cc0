/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <tls.h>
#include <unbound-event.h>
#include <unbound.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/sandbox.h"
#include "regress/sandbox/caged.h"
#include "regress/unit.h"

/*
 * What the children with sockets do runs to its end in their cages: a TLS
 * server, a TLS client with a source address, libunbound, one UNIX socket.
 * The other end of each is a process outside.
 */

#define STEP(e)	do { if (!(e)) return step(__LINE__); } while (0)

static char		*cert_pem, *key_pem;
static size_t		 cert_len, key_len;
static int		 lfd;
static struct sockaddr_in listen_addr;
static int		 resolved;
static int		 lifeline;	/* outside: end of file, the end */

static int	 step(int);
static void	 make_cert(void);
static char	*bio_text(BIO *, size_t *);
static void	 listen_loopback(int);
static int	 tls_serve(int);
static int	 tls_ask(int);
static int	 wait_fd(int, int);
static int	 tls_all(struct tls *, int (*)(struct tls *));
static ssize_t	 tls_get(struct tls *, void *, size_t);

static int
step(int line)
{
	log_warn("line %d", line);
	return 2;
}

static char *
bio_text(BIO *b, size_t *len)
{
	char	*p, *copy;
	long	 n;

	n = BIO_get_mem_data(b, &p);
	if (n <= 0 || (copy = malloc((size_t)n)) == NULL)
		errx(1, "certificate");
	memcpy(copy, p, (size_t)n);
	*len = (size_t)n;
	BIO_free(b);
	return copy;
}

static void
make_cert(void)
{
	EVP_PKEY_CTX	*ctx;
	EVP_PKEY	*key = NULL;
	X509		*x;
	X509_NAME	*name;
	BIO		*cert, *pkey;

	ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
	if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx,
	    NID_X9_62_prime256v1) != 1 || EVP_PKEY_keygen(ctx, &key) != 1 ||
	    (x = X509_new()) == NULL)
		errx(1, "key");
	EVP_PKEY_CTX_free(ctx);
	name = X509_get_subject_name(x);
	if (!X509_set_version(x, 2) ||
	    !ASN1_INTEGER_set(X509_get_serialNumber(x), 1) ||
	    !X509_gmtime_adj(X509_getm_notBefore(x), 0) ||
	    !X509_gmtime_adj(X509_getm_notAfter(x), 86400) ||
	    !X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"mx.test", -1, -1, 0) ||
	    !X509_set_issuer_name(x, name) || !X509_set_pubkey(x, key) ||
	    !X509_sign(x, key, EVP_sha256()))
		errx(1, "certificate");
	if ((cert = BIO_new(BIO_s_mem())) == NULL ||
	    (pkey = BIO_new(BIO_s_mem())) == NULL ||
	    !PEM_write_bio_X509(cert, x) ||
	    !PEM_write_bio_PrivateKey(pkey, key, NULL, NULL, 0, NULL, NULL))
		errx(1, "certificate");
	cert_pem = bio_text(cert, &cert_len);
	key_pem = bio_text(pkey, &key_len);
	X509_free(x);
	EVP_PKEY_free(key);
}

/* lfd and listen_addr: a socket of this type on a free port. */
static void
listen_loopback(int type)
{
	socklen_t	 len = sizeof(listen_addr);

	memset(&listen_addr, 0, sizeof(listen_addr));
	listen_addr.sin_family = AF_INET;
	listen_addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((lfd = socket(AF_INET, type | SOCK_CLOEXEC, 0)) == -1 ||
	    bind(lfd, (struct sockaddr *)&listen_addr, len) == -1 ||
	    (type == SOCK_STREAM && listen(lfd, 5) == -1) ||
	    getsockname(lfd, (struct sockaddr *)&listen_addr, &len) == -1)
		err(1, "listen");
}

static int
wait_fd(int fd, int events)
{
	struct pollfd	 p;

	p.fd = fd;
	p.events = (short)events;
	return poll(&p, 1, 5000) == 1 ? 0 : -1;
}

/* A step of TLS on a blocking socket may still want to be called again. */
static int
tls_all(struct tls *t, int (*fn)(struct tls *))
{
	int	 n;

	do {
		n = fn(t);
	} while (n == TLS_WANT_POLLIN || n == TLS_WANT_POLLOUT);
	return n;
}

static ssize_t
tls_get(struct tls *t, void *buf, size_t size)
{
	ssize_t	 n;

	do {
		n = tls_read(t, buf, size);
	} while (n == TLS_WANT_POLLIN || n == TLS_WANT_POLLOUT);
	return n;
}

/* Accept one connection, take a line, answer with it. */
static int
tls_serve(int fd)
{
	struct sockaddr_storage	 ss;
	struct tls_config	*conf;
	struct tls		*ctx, *t;
	socklen_t		 len = sizeof(ss);
	char			 buf[64];
	int			 s, one = 1;
	ssize_t			 n;

	STEP((conf = tls_config_new()) != NULL);
	STEP(tls_config_set_keypair_mem(conf, (const uint8_t *)cert_pem,
	    cert_len, (const uint8_t *)key_pem, key_len) == 0);
	STEP((ctx = tls_server()) != NULL && tls_configure(ctx, conf) == 0);
	STEP(wait_fd(fd, POLLIN) == 0);
	STEP((s = accept4(fd, (struct sockaddr *)&ss, &len, SOCK_CLOEXEC)) !=
	    -1);
	len = sizeof(ss);
	STEP(getsockname(s, (struct sockaddr *)&ss, &len) == 0);
	len = sizeof(ss);
	STEP(getpeername(s, (struct sockaddr *)&ss, &len) == 0);
	STEP(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0);
	STEP(setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)) == 0);
	STEP(tls_accept_socket(ctx, &t, s) == 0);
	STEP(tls_all(t, tls_handshake) == 0);
	STEP((n = tls_get(t, buf, sizeof(buf))) > 0);
	STEP(tls_write(t, buf, (size_t)n) == n);
	(void)tls_all(t, tls_close);
	STEP(shutdown(s, SHUT_RDWR) == 0 || errno == ENOTCONN);
	tls_free(t);
	close(s);
	tls_free(ctx);
	tls_config_free(conf);
	return 0;
}

/* The other side: from a source address, then TLS, a line and its echo. */
static int
tls_ask(int fd)
{
	struct sockaddr_in	 source;
	struct tls_config	*conf;
	struct tls		*t;
	socklen_t		 len;
	char			 buf[64];
	int			 s, e, flags;

	(void)fd;
	STEP((conf = tls_config_new()) != NULL);
	tls_config_insecure_noverifycert(conf);
	tls_config_insecure_noverifyname(conf);
	STEP((s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0)) != -1);
	source = listen_addr;
	source.sin_port = 0;
	STEP(bind(s, (struct sockaddr *)&source, sizeof(source)) == 0);
	STEP(connect(s, (struct sockaddr *)&listen_addr,
	    sizeof(listen_addr)) == 0 || errno == EINPROGRESS);
	STEP(wait_fd(s, POLLOUT) == 0);
	len = sizeof(e);
	STEP(getsockopt(s, SOL_SOCKET, SO_ERROR, &e, &len) == 0 && e == 0);
	STEP((flags = fcntl(s, F_GETFL)) != -1 &&
	    fcntl(s, F_SETFL, flags & ~O_NONBLOCK) == 0);
	STEP((t = tls_client()) != NULL && tls_configure(t, conf) == 0);
	STEP(tls_connect_socket(t, s, "mx.test") == 0);
	STEP(tls_all(t, tls_handshake) == 0);
	STEP(tls_peer_cert_provided(t) == 1);
	STEP(tls_peer_cert_chain_pem(t, &(size_t){ 0 }) != NULL);
	STEP(tls_write(t, "EHLO\r\n", 6) == 6);
	STEP(tls_get(t, buf, sizeof(buf)) == 6);
	(void)tls_all(t, tls_close);
	tls_free(t);
	close(s);
	tls_config_free(conf);
	return 0;
}

/* The process outside; it ends by itself, or when the caged one has gone. */
static void
outside(int (*fn)(int))
{
	pid_t	 pid;
	int	 p[2];

	if (pipe(p) == -1 || (pid = fork()) == -1)
		err(3, "fork");
	if (pid == 0) {
		close(p[1]);
		lifeline = p[0];
		(void)alarm(10);
		_exit(fn(lfd));
	}
	close(p[0]);
}

static void
server_before(void *arg)
{
	(void)arg;
	outside(tls_ask);
	sandbox_prepare();
}

static int
server_in(void *arg)
{
	(void)arg;
	return tls_serve(lfd);
}

static void
client_before(void *arg)
{
	(void)arg;
	outside(tls_serve);
	close(lfd);
	sandbox_prepare();
}

static int
client_in(void *arg)
{
	(void)arg;
	return tls_ask(-1);
}

/* A DNS server of one answer: 192.0.2.1 for whatever is asked. */
static int
dns_serve(int fd)
{
	static const uint8_t	 answer[] = {
		0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1
	};
	struct sockaddr_storage	 ss;
	struct pollfd		 p[2];
	socklen_t		 len;
	uint8_t			 q[512 + sizeof(answer)];
	ssize_t			 n;
	size_t			 end;

	for (;;) {
		p[0].fd = fd;
		p[1].fd = lifeline;
		p[0].events = p[1].events = POLLIN;
		if (poll(p, 2, -1) == -1 || p[1].revents != 0)
			return 0;
		len = sizeof(ss);
		n = recvfrom(fd, q, 512, 0, (struct sockaddr *)&ss, &len);
		if (n < 17)
			return 1;
		for (end = 12; end < (size_t)n && q[end] != 0;)
			end += q[end] + 1U;
		end += 5;
		q[2] = 0x84;
		q[3] = 0x80;
		q[7] = 1;		/* one answer, nothing else */
		q[8] = q[9] = q[10] = q[11] = 0;
		memcpy(q + end, answer, sizeof(answer));
		if (sendto(fd, q, end + sizeof(answer), 0,
		    (struct sockaddr *)&ss, len) == -1)
			return 1;
	}
}

static void
on_answer(void *arg, int rcode, void *packet, int len, int sec, char *why,
    int limited)
{
	(void)arg;
	(void)packet;
	(void)sec;
	(void)why;
	(void)limited;
	resolved = rcode == 0 && len > 0 ? 1 : -1;
	loop_stop();
}

static void
resolver_before(void *arg)
{
	(void)arg;
	outside(dns_serve);
	close(lfd);
	loop_init();
	sandbox_prepare();
}

static int
resolver_in(void *arg)
{
	struct ub_ctx	*ub;
	char		 forward[32];
	int		 id;

	(void)arg;
	STEP((ub = ub_ctx_create_event(loop_base())) != NULL);
	(void)snprintf(forward, sizeof(forward), "127.0.0.1@%u",
	    ntohs(listen_addr.sin_port));
	STEP(ub_ctx_set_option(ub, "do-not-query-localhost:", "no") == 0);
	STEP(ub_ctx_set_option(ub, "module-config:", "iterator") == 0);
	STEP(ub_ctx_set_fwd(ub, forward) == 0);
	STEP(ub_resolve_event(ub, "mx.example.net", 1, 1, NULL, on_answer,
	    &id) == 0);
	loop_run();
	STEP(resolved == 1);
	ub_ctx_delete(ub);
	return 0;
}

static int
echo_serve(int fd)
{
	char	 buf[8];
	int	 s;
	ssize_t	 n;

	if ((s = accept(fd, NULL, NULL)) == -1 ||
	    (n = read(s, buf, sizeof(buf))) <= 0 ||
	    write(s, buf, (size_t)n) != n)
		return 1;
	return 0;
}

static void
unix_before(void *arg)
{
	struct sockaddr_un	 sun;

	(void)arg;
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/clamd",
	    caged_empty_root());
	if ((lfd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1 ||
	    bind(lfd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    chmod(sun.sun_path, 0666) == -1 || listen(lfd, 1) == -1)
		err(3, "listen");
	outside(echo_serve);
	close(lfd);
	sandbox_prepare();
}

static int
unix_in(void *arg)
{
	struct sockaddr_un	 sun;
	char			 buf[8];
	int			 s;

	(void)arg;
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	(void)strlcpy(sun.sun_path, "/clamd", sizeof(sun.sun_path));
	STEP((s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) != -1);
	STEP(connect(s, (struct sockaddr *)&sun, sizeof(sun)) == 0);
	STEP(write(s, "PING", 4) == 4);
	STEP(read(s, buf, sizeof(buf)) == 4);
	close(s);
	return 0;
}

static int
run(const char *name, uint32_t powers, void (*before)(void *),
    int (*in)(void *))
{
	struct cage	 c;
	struct caged	 res;

	caged_fill(&c, name, powers);
	caged_run(&res, &c, before, in, NULL);
	if (res.end != CAGED_ZERO)
		printf("%s: status %d\n%s", name, res.status, res.log);
	return res.end;
}

int
main(void)
{
	if (caged_begin() == -1)
		return 77;
	(void)signal(SIGPIPE, SIG_IGN);
	make_cert();
	listen_loopback(SOCK_STREAM);
	CHECK(run("server", POWER_ACCEPT | POWER_INET, server_before,
	    server_in) == CAGED_ZERO);
	CHECK(run("client", POWER_CONNECT, client_before, client_in) ==
	    CAGED_ZERO);
	close(lfd);
	listen_loopback(SOCK_DGRAM);
	CHECK(run("resolver", POWER_DNS, resolver_before, resolver_in) ==
	    CAGED_ZERO);
	close(lfd);
	CHECK(run("unix", POWER_UNIX, unix_before, unix_in) == CAGED_ZERO);
	free(cert_pem);
	free(key_pem);
	caged_end_all();
	return unit_end();
}
