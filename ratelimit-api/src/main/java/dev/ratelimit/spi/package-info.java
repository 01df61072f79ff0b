/** What a store implements: the place where a limit's state is kept. */
@NullMarked
package dev.ratelimit.spi;

import org.jspecify.annotations.NullMarked;
