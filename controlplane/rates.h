#pragma once

// The prices of usage, from the file that usage.rates_file names: read at the start and at each reload.
// Runs on: control thread.

#include "base/status.h"

struct config;
struct control;

#define RATES_PROBLEM_MAX 1024

enum status rates_start(struct control *control);
void rates_stop(struct control *control);
// Reads the file and keeps nothing: for trunkd --check. The problem names file and line.
enum status rates_check(const struct config *config, char problem[static RATES_PROBLEM_MAX]);
// What is wrong changes nothing.
enum status rates_reload(struct control *control, char problem[static RATES_PROBLEM_MAX]);
