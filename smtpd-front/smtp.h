/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

#ifndef SMTP_H
#define SMTP_H

#include "common/proc.h"

/*
 * The smtp process as main.c's table needs it, and what serves operators.
 */
void	smtp_start(void);
void	smtp_peer_up(struct ipc *);
void	smtp_peer_gone(struct ipc *);
void	smtp_share(enum share_kind, uint32_t index, int fd);
void	smtp_listen(int fd, uint32_t index);
void	smtp_drain(int hurry);
extern const struct ipc_verb	smtp_verbs[];
extern const size_t		smtp_nverbs;

/* control.c */
int	control_status(struct ipc *, struct imsg *);
int	control_reload(struct ipc *, struct imsg *);
/* An operator has gone: forget what he waits for. */
void	control_gone(struct ipc *);
/* Does an operator wait for the end of a reload? */
int	control_busy(void);

#endif
