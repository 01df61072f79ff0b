package dev.ratelimit;

/** Why a call was refused. All of these mean "not now"; none of them is a mistake of the caller. */
public enum Refusal {
    /** The limit has no permits left at this moment. */
    LIMIT,
    /** The permits would come, but not within the time that the caller is willing to wait. */
    MAX_WAIT,
    /** As many callers as allowed wait in the line already. */
    LINE_FULL,
    /** The store is away, and its failure policy is to refuse meanwhile. Says nothing about the limit. */
    UNAVAILABLE
}
