/* SPDX-License-Identifier: ISC */
/* Passphrase files and hexadecimal keys, for carpd and carpctl. */
#ifndef CARPD_KEY_H
#define CARPD_KEY_H

#include <carp/carp.h>

/*
 * The first line of a file, without its newline: 1 to 19 bytes.  The file is
 * regular and nobody but its owner (root, or who runs this) and, for reading,
 * its group has access.  On failure returns a negative errno and writes a
 * sentence, without file name, to why.
 */
int key_from_file(
    uint8_t ret[CARP_KEY_LEN], const char *path, char *why, size_t len);

/* 2 to 40 hexadecimal digits: up to 20 bytes. */
int key_from_hex(
    uint8_t ret[CARP_KEY_LEN], const char *hex, char *why, size_t len);

#endif
