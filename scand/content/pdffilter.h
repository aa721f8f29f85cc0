/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SCAND_CONTENT_PDFFILTER_H
#define SCAND_CONTENT_PDFFILTER_H

#include "scand/content/unpack.h"

/*
 * Filters of streams, ISO 32000-1 7.4, those that do not need to know what a
 * picture is.
 */
enum pdf_filter {
	PDF_FILTER_NONE, PDF_FILTER_HEX, PDF_FILTER_85, PDF_FILTER_LZW,
	PDF_FILTER_FLATE, PDF_FILTER_RUN, PDF_FILTER_UNKNOWN
};
/* By its name or the short form of that. */
enum pdf_filter	pdf_filter_named(const char *);
/* Append what octets become; what cannot be decoded ends it. */
void	pdf_filter(enum pdf_filter, struct unpack *, const uint8_t *, size_t);

#endif
