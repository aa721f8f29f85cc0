# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors

commands_test_SRCS = regress/smtpd-front/harness.c \
	regress/smtpd-front/fakes.c
message_test_SRCS = regress/smtpd-front/harness.c \
	regress/smtpd-front/fakes.c
limits_test_SRCS = regress/smtpd-front/harness.c \
	regress/smtpd-front/fakes.c
policy_test_SRCS = regress/smtpd-front/harness.c \
	regress/smtpd-front/fakes.c
page_test_SRCS = regress/smtpd-front/harness.c \
	regress/smtpd-front/fakes.c
