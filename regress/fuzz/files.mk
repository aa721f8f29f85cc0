# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
#
# The form is described in common/files.mk.

envfile_fuzz_ROOMS = relayd-out
header_fuzz_ROOMS = scand
journal_fuzz_ROOMS = relayd-out
reply_fuzz_ROOMS = relayd-out
scan_fuzz_ROOMS = scand
smtp_fuzz_ROOMS = smtpd-front
smtp_fuzz_SRCS = regress/smtpd-front/harness.c \
	regress/smtpd-front/fakes.c
spf_fuzz_ROOMS = scand
spf_fuzz_SRCS = regress/scand/auth/spf_oracle.c
