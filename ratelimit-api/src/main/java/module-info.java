/** What users of ratelimit hold, and the contract of a store. */
module dev.ratelimit.api {
    requires static transitive org.jspecify;

    exports dev.ratelimit;
    exports dev.ratelimit.spi;
}
