# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""A clamd that does as it is told."""

import array
import os
import socket
import threading


class Clamd(threading.Thread):
    """FILDES and VERSION; mode: good, error, hang, silent, odd.  Messages with
    evil-12345 are infected."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path = path
        self.mode = "good"
        self.asked = 0
        self.held = []
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(path)
        os.chmod(path, 0o666)
        self.sock.listen(100)

    def run(self):
        while True:
            s, _ = self.sock.accept()
            threading.Thread(target=self.serve, args=(s,),
                             daemon=True).start()

    def serve(self, s):
        data, fds = b"", array.array("i")
        while b"zVERSION\0" not in data and not fds:
            got, anc, _, _ = s.recvmsg(4096, socket.CMSG_LEN(4))
            if not got:
                return
            data += got
            for _, _, d in anc:
                fds.frombytes(d[:4])
        if not fds:
            s.sendall(b"ClamAV 1.0.7/27000/Mon Jun  3 08:25:59 2024\0")
            s.close()
            return
        assert data.startswith(b"zFILDES\0"), data
        self.asked += 1
        with os.fdopen(fds[0], "rb") as f:
            text = os.pread(f.fileno(), 1 << 24, 0)
            try:
                os.pwrite(f.fileno(), b"x", 0)
                text += b" writable! evil-12345"
            except OSError:
                pass
        if self.mode == "hang":
            self.held.append(s)
            return
        s.sendall({
            "good": b"fd[9]: Test.Evil FOUND\0" if b"evil-12345" in text
                    else b"fd[9]: OK\0",
            "error": b"fd[9]: lstat() failed. ERROR\0",
            "silent": b"",
            "odd": b"x" * 5000,
        }[self.mode])
        s.close()
