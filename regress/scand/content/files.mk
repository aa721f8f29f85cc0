# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors

PROGS = look seeds

look_SRCS = regress/scand/content/letter.c
seeds_SRCS = regress/scand/content/build.c

biff_test_SRCS = regress/scand/content/build.c regress/scand/content/fake.c
compound_test_SRCS = regress/scand/content/build.c regress/scand/content/fake.c
officecrypt_test_SRCS = \
	regress/scand/content/build.c regress/scand/content/fake.c
ole_test_SRCS = regress/scand/content/build.c regress/scand/content/fake.c
ovba_test_SRCS = regress/scand/content/build.c regress/scand/content/fake.c
vba_test_SRCS = regress/scand/content/build.c regress/scand/content/fake.c
rtf_test_SRCS = regress/scand/content/build.c regress/scand/content/fake.c
xml_test_SRCS = regress/scand/content/build.c regress/scand/content/fake.c
archive_test_SRCS = regress/scand/content/build.c
inspect_test_SRCS = regress/scand/content/build.c
mail_test_SRCS = regress/scand/content/build.c
pdf_test_SRCS = regress/scand/content/build.c
zip_test_SRCS = regress/scand/content/build.c
