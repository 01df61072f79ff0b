/** What users hold: limits, results, limiters, listeners and exceptions. */
@NullMarked
package dev.ratelimit;

import org.jspecify.annotations.NullMarked;
