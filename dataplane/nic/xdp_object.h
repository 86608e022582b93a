#pragma once

// The compiled XDP program, made an array by embed.py when the program is built.
// Runs on: any thread; constant.

extern const unsigned char xdp_object[];
extern const unsigned long xdp_object_size;
