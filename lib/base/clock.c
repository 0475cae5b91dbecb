/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/clock.h"

const char *clock_text(int64_t seconds, char text[CLOCK_TEXT_SIZE])
{
	time_t t = (time_t)seconds;
	struct tm tm;
	if (!gmtime_r(&t, &tm) || strftime(text, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		text[0] = '\0';
	return text;
}
