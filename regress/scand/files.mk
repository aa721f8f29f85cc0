# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
#
# The form is described in common/files.mk.

attachments_test_SRCS = regress/scand/nopeer.c regress/scand/disguise.c \
	regress/scand/disguise_shape.c regress/scand/disguise_pack.c
broker_test_SRCS = regress/scand/harness.c regress/scand/nopeer.c
cost_test_SRCS = regress/scand/letters.c regress/scand/auth/zone.c
rules_test_SRCS = regress/scand/auth/zone.c regress/scand/nopeer.c
