# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
#
# The form is described in common/files.mk.

arc_fuzz_ROOMS = scand
arc_fuzz_SRCS = regress/fuzz/onekey.c
archive_fuzz_ROOMS = scand
biff_fuzz_ROOMS = scand
biff_fuzz_SRCS = regress/scand/content/fake.c
cfb_fuzz_ROOMS = scand
cfb_fuzz_SRCS = regress/scand/content/fake.c
envfile_fuzz_ROOMS = relayd-out
dkim_fuzz_ROOMS = scand
dkim_fuzz_SRCS = regress/fuzz/onekey.c
dmarc_fuzz_ROOMS = scand
header_fuzz_ROOMS = scand
journal_fuzz_ROOMS = relayd-out
magic_fuzz_ROOMS = scand
mime_fuzz_ROOMS = scand
links_fuzz_ROOMS = scand
opc_fuzz_ROOMS = scand
opc_fuzz_SRCS = regress/scand/content/fake.c
ovba_fuzz_ROOMS = scand
ovba_fuzz_SRCS = regress/scand/content/fake.c
pdf_fuzz_ROOMS = scand
rar_fuzz_ROOMS = scand
reply_fuzz_ROOMS = relayd-out
rtf_fuzz_ROOMS = scand
rtf_fuzz_SRCS = regress/scand/content/fake.c
scan_fuzz_ROOMS = scand
sevenzip_fuzz_ROOMS = scand
smtp_fuzz_ROOMS = smtpd-front
smtp_fuzz_SRCS = regress/smtpd-front/harness.c \
	regress/smtpd-front/fakes.c
spf_fuzz_ROOMS = scand
spf_fuzz_SRCS = regress/scand/auth/spf_oracle.c
tnef_fuzz_ROOMS = scand
xml_fuzz_ROOMS = scand
xml_fuzz_SRCS = regress/scand/content/fake.c
zip_fuzz_ROOMS = scand
