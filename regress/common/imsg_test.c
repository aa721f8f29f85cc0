/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/imsg.h"
#include "regress/unit.h"

/*
 * Frames over a socketpair: order, sizes, descriptors that fit and such that
 * do not, payloads that lie.
 */

static struct imsgbuf	 a, b;

static void
connect_pair(void)
{
	int	 sp[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sp) == -1)
		perror("socketpair");
	imsgbuf_init(&a, sp[0]);
	imsgbuf_init(&b, sp[1]);
}

static void
disconnect(void)
{
	imsgbuf_clear(&a);
	imsgbuf_clear(&b);
}

/* Read until a frame is there or nothing comes. */
static int
next_frame(struct imsg *im)
{
	int	 n;

	while ((n = imsgbuf_get(&b, im)) == 0)
		if (imsgbuf_read(&b) != 1)
			return 0;
	return n;
}

static void
test_order(void)
{
	struct ibuf	 p;
	struct imsg	 im;
	uint32_t	 i, wrong = 0;

	connect_pair();
	ibuf_init(&p);
	for (i = 0; i < 1000; i++) {
		ibuf_reset(&p);
		ibuf_add_u32(&p, i);
		CHECK_INT(imsgbuf_add(&a, 7, i, -1, &p), 0);
	}
	CHECK_INT(imsgbuf_flush(&a), 0);
	for (i = 0; i < 1000; i++)
		if (next_frame(&im) != 1 || im.type != 7 || im.job != i ||
		    im.fd != -1 || ibuf_get_u32(&im.data) != i ||
		    ibuf_get_end(&im.data) != 0)
			wrong++;
	CHECK_INT(wrong, 0);
	CHECK_INT(next_frame(&im), 0);
	CHECK_INT(errno, EAGAIN);
	ibuf_free(&p);
	disconnect();
}

/* Larger than a socket takes at once: sent and received in pieces. */
static void
test_large(void)
{
	static uint8_t	 data[LIM_FRAME - 4];
	const uint8_t	*got;
	struct ibuf	 p;
	struct imsg	 im;
	size_t		 i, len;
	int		 n, frames = 0;

	connect_pair();
	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	ibuf_init(&p);
	ibuf_add_blob(&p, data, sizeof(data));
	CHECK(!p.bad);
	for (i = 0; i < 8; i++)
		CHECK_INT(imsgbuf_add(&a, 1, (uint32_t)i, -1, &p), 0);
	do {
		n = imsgbuf_flush(&a);
		CHECK(n != -1);
		while (next_frame(&im) == 1) {
			CHECK_INT(im.job, frames++);
			got = ibuf_get_blob(&im.data, &len);
			CHECK(len == sizeof(data) &&
			    memcmp(got, data, len) == 0);
		}
	} while (n == 1);
	CHECK_INT(frames, 8);
	ibuf_add_u8(&p, 1);
	CHECK(p.bad);
	CHECK_INT(imsgbuf_add(&a, 1, 0, -1, &p), -1);
	ibuf_free(&p);
	disconnect();
}

static void
test_descriptors(void)
{
	struct imsg	 im;
	struct stat	 st;
	int		 i;

	connect_pair();
	for (i = 0; i < 20; i++) {
		imsgbuf_add(&a, 1, (uint32_t)i, -1, NULL);
		imsgbuf_add(&a, 2, (uint32_t)i, open("/dev/null", O_RDONLY),
		    NULL);
		imsgbuf_add(&a, 2, (uint32_t)i, open("/dev/zero", O_RDONLY),
		    NULL);
	}
	CHECK_INT(imsgbuf_flush(&a), 0);
	for (i = 0; i < 20; i++) {
		CHECK_INT(next_frame(&im), 1);
		CHECK_INT(im.fd, -1);
		CHECK_INT(next_frame(&im), 1);
		CHECK(im.fd != -1 && fstat(im.fd, &st) == 0 &&
		    st.st_rdev == 0x103);	/* null */
		close(im.fd);
		CHECK_INT(next_frame(&im), 1);
		CHECK(im.fd != -1 && fstat(im.fd, &st) == 0 &&
		    st.st_rdev == 0x105);	/* zero */
		close(im.fd);
	}
	disconnect();
}

/*
 * The table fills up without warning: the frame at hand is without its
 * descriptor, the next ones wait for room.
 */
static void
test_lost(void)
{
	struct rlimit	 old, rl;
	struct imsg	 im;
	int		 top, fds[6], i, lost = 0;

	connect_pair();
	for (i = 0; i < 6; i++)
		imsgbuf_add(&a, 1, (uint32_t)i, open("/dev/null", O_RDONLY),
		    NULL);
	CHECK_INT(imsgbuf_flush(&a), 0);
	getrlimit(RLIMIT_NOFILE, &old);
	top = open("/dev/null", O_RDONLY);
	close(top);
	rl = old;
	rl.rlim_cur = (rlim_t)top + 2;
	setrlimit(RLIMIT_NOFILE, &rl);
	for (i = 0; i < 6 && next_frame(&im) == 1; i++) {
		CHECK_INT(im.job, i);
		CHECK((im.fd == -1) == im.fdlost);
		lost += im.fdlost;
		fds[i] = im.fd;
	}
	CHECK_INT(errno, EMFILE);
	CHECK_INT(i, 3);
	CHECK_INT(lost, 1);
	setrlimit(RLIMIT_NOFILE, &old);
	for (; i < 6; i++) {
		CHECK_INT(next_frame(&im), 1);
		CHECK_INT(im.job, i);
		CHECK(im.fd != -1);
		fds[i] = im.fd;
	}
	for (i = 0; i < 6; i++)
		if (fds[i] != -1)
			close(fds[i]);
	disconnect();
}

/* With the reserve the process waits instead of losing. */
static void
test_reserve(void)
{
	struct rlimit	 old, rl;
	struct imsg	 im;
	int		 i, n, fds[200], nfds = 0;

	connect_pair();
	getrlimit(RLIMIT_NOFILE, &old);
	rl = old;
	rl.rlim_cur = 100;
	setrlimit(RLIMIT_NOFILE, &rl);
	imsg_reserve_init();
	for (i = 0; i < 200; i++) {
		imsgbuf_add(&a, 1, (uint32_t)i, open("/dev/null", O_RDONLY),
		    NULL);
		if (imsgbuf_flush(&a) != 0)
			break;
		while ((n = imsgbuf_get(&b, &im)) == 0 &&
		    imsgbuf_read(&b) == 1)
			;
		if (n != 1 && imsgbuf_get(&b, &im) != 1)
			break;
		CHECK(!im.fdlost);
		fds[nfds++] = im.fd;
	}
	CHECK(nfds > 80 && nfds < 100);
	CHECK_INT(errno, EMFILE);
	while (nfds > 0)
		close(fds[--nfds]);
	CHECK_INT(imsgbuf_read(&b), 1);
	CHECK_INT(imsgbuf_get(&b, &im), 1);
	CHECK(im.fd != -1);
	close(im.fd);
	setrlimit(RLIMIT_NOFILE, &old);
	imsg_reserve_init();
	disconnect();
}

static void
test_broken(void)
{
	uint32_t	 hdr[4] = { 1, LIM_FRAME + 1, 0, 0 };
	struct imsg	 im;

	connect_pair();
	CHECK_INT(write(a.fd, hdr, sizeof(hdr)), sizeof(hdr));
	CHECK_INT(next_frame(&im), -1);
	disconnect();
	connect_pair();
	hdr[1] = 0x80000000U;	/* says a descriptor, sends none */
	CHECK_INT(write(a.fd, hdr, sizeof(hdr)), sizeof(hdr));
	CHECK_INT(next_frame(&im), -1);
	disconnect();
	connect_pair();
	close(a.fd);
	a.fd = -1;
	CHECK_INT(imsgbuf_read(&b), 0);
	disconnect();
}

static void
test_payload(void)
{
	struct ibuf	 w, r;
	char		 s[4], *d;
	size_t		 len;

	ibuf_init(&w);
	ibuf_add_u8(&w, 1);
	ibuf_add_u16(&w, 2);
	ibuf_add_i32(&w, -3);
	ibuf_add_u64(&w, 4);
	ibuf_add_str(&w, "abc");
	ibuf_add_str(&w, NULL);
	ibuf_add_str(&w, "abcd");
	ibuf_from(&r, w.p, w.len);
	CHECK_INT(ibuf_get_u8(&r), 1);
	CHECK_INT(ibuf_get_u16(&r), 2);
	CHECK_INT(ibuf_get_i32(&r), -3);
	CHECK_INT(ibuf_get_u64(&r), 4);
	ibuf_get_str(&r, s, sizeof(s));
	CHECK_STR(s, "abc");
	d = ibuf_get_strdup(&r, 10);
	CHECK_STR(d, "");
	free(d);
	CHECK_INT(ibuf_get_end(&r), -1);	/* something is left */
	CHECK(!r.bad);
	ibuf_get_str(&r, s, sizeof(s));		/* does not fit */
	CHECK(r.bad);
	CHECK_INT(ibuf_get_u8(&r), 0);
	CHECK_INT(ibuf_get_end(&r), -1);

	/* A length that is longer than what is there. */
	ibuf_reset(&w);
	ibuf_add_u32(&w, 0xffffffff);
	ibuf_from(&r, w.p, w.len);
	CHECK(ibuf_get_blob(&r, &len) == NULL && len == 0 && r.bad);

	/* A NUL inside text. */
	ibuf_reset(&w);
	ibuf_add_blob(&w, "a\0b", 3);
	ibuf_from(&r, w.p, w.len);
	ibuf_get_str(&r, s, sizeof(s));
	CHECK(r.bad);
	ibuf_free(&w);
}

int
main(void)
{
	test_payload();
	test_order();
	test_large();
	test_descriptors();
	test_broken();
	test_lost();
	test_reserve();
	return unit_end();
}
