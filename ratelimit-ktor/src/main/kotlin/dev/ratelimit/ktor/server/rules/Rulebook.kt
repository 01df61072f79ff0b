package dev.ratelimit.ktor.server.rules

import dev.ratelimit.ktor.server.RuleConfig
import dev.ratelimit.ktor.server.matching.Methods
import dev.ratelimit.ktor.server.matching.Overlap
import dev.ratelimit.ktor.server.matching.PathPattern
import dev.ratelimit.ktor.server.matching.PathSegments
import dev.ratelimit.ktor.server.matching.PatternTree
import dev.ratelimit.ktor.server.matching.Specificity
import org.slf4j.LoggerFactory

/** All rules of a configuration, and which of them a call has. Immutable. */
internal class Rulebook private constructor(
    private val tree: PatternTree<Rule>,
    private val everywhere: List<Rule>,
    private val named: Map<String, Rule>,
    val all: List<Rule>,
    private val paths: PathSegments,
) {
    val names: Set<String> get() = named.keys

    /** The rules that a call has by its method and its path, before a route is found: those of each of the path's [readings]. */
    fun rules(
        method: String,
        readings: List<List<String>>,
    ): List<Rule> = readings.singleOrNull()?.let { rulesOf(method, it) } ?: readings.flatMap { rulesOf(method, it) }.distinct()

    private fun rulesOf(
        method: String,
        path: List<String>,
    ): List<Rule> {
        val matching = tree.find(Methods.counted(method), path)
        if (matching.isEmpty()) return everywhere
        var last = 0
        // What is only tried out takes nothing from what rules.
        while (last < matching.lastIndex && (matching[last].fallsThrough || matching[last].isTrial)) last++
        val ruling = if (last == matching.lastIndex) matching else matching.subList(0, last + 1)
        return if (everywhere.isEmpty()) ruling else everywhere + ruling
    }

    fun readings(path: String): List<List<String>> = paths.readings(path)

    fun named(name: String): Rule? = named[name]

    /** @throws IllegalArgumentException if there is no such rule */
    fun rule(name: String): Rule {
        val found = all.firstOrNull { it.name == name }
        require(found != null) { "there is no rule '$name'; there are ${all.map { it.name }}" }
        return found
    }

    companion object {
        private val log = LoggerFactory.getLogger("dev.ratelimit.ktor.server.RateLimiting")

        /**
         * @param drafts rules by pattern, as they were written
         * @throws IllegalArgumentException naming the rule, if one would limit nothing, cannot be told from another, or cannot be reached
         */
        fun of(
            drafts: List<RuleConfig>,
            everywhere: RuleConfig?,
            named: Collection<RuleConfig>,
            ignoreCase: Boolean,
            rootPath: String,
            compile: (config: RuleConfig, isNamed: Boolean) -> Rule,
        ): Rulebook {
            val patterns = drafts.map { patternOf(it, ignoreCase) to it }
            for ((_, alike) in patterns.groupBy { it.first.shape }) {
                require(alike.size == 1) {
                    "rules '${alike[0].first}' and '${alike[1].first}' are about the same calls, so the second could never be reached; " +
                        "write their limits in one rule"
                }
            }
            checkOrder(patterns)
            val compiled = patterns.sortedWith(compareBy(Specificity) { it.first }).map { (pattern, config) ->
                pattern to
                    compile(config, false)
            }
            val always = listOfNotNull(everywhere).map { compile(it, false) }
            val byName = named.associate { it.rule to compile(it, true) }
            val all = always + compiled.map { it.second } + byName.values
            val twice = all.groupBy { it.name }.values.firstOrNull { it.size > 1 }
            require(twice == null) { "there are two rules named '${twice?.first()?.name}'; give each a name of its own" }
            warnOfKeys(all, always)
            return Rulebook(PatternTree(compiled), always, byName, all, PathSegments(rootPath, ignoreCase))
        }

        /** Of two rules about a call one has to be the more specific, unless both are to rule. */
        private fun checkOrder(patterns: List<Pair<PathPattern, RuleConfig>>) {
            val alike = patterns.filterNot { it.second.fallThrough }.groupBy { Specificity.rankOf(it.first) }.values
            for (some in alike) {
                for (i in some.indices) {
                    for (j in 0 until i) {
                        val (one, other) = some[j].first to some[i].first
                        val path = Overlap.of(one, other) ?: continue
                        throw IllegalArgumentException(
                            "rules '$one' and '$other' are both about '$path', and neither is more specific; " +
                                "write fallThrough = true in both, so that both rule, or a longer pattern in one of them",
                        )
                    }
                }
            }
        }

        /** A key that somebody invents is a new key. */
        private fun warnOfKeys(
            all: List<Rule>,
            always: List<Rule>,
        ) {
            fun Rule.isByKeyAlone() = scopes.all { it.source == KeySource.ApiKey }
            if (always.any { !it.isByKeyAlone() }) return
            for (rule in all.filter { it.isByKeyAlone() }) {
                log.warn(
                    "rule '{}' counts by API key alone, so whoever invents keys has a bucket for each; write perIp(…) beside it",
                    rule.name,
                )
            }
        }

        private fun patternOf(
            draft: RuleConfig,
            ignoreCase: Boolean,
        ): PathPattern {
            val pattern = PathPattern.parse(draft.rule)
            return if (ignoreCase) pattern.lowercase() else pattern
        }
    }
}
