package dev.ratelimit.jvm.shared

import dev.ratelimit.jvm.shared.rig.Child
import dev.ratelimit.jvm.shared.rig.SharedFolder
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe

/** Whoever comes first makes the file; 200 times in each run, more by `-Dratelimit.shared.creations=2000`. */
internal class CreationTest :
    FunSpec({
        test("sixteen processes that create one file at once, $ROUNDS times, all have the same") {
            SharedFolder().use { folder ->
                val children = List(PROCESSES) { Child.start(folder) }
                try {
                    children.forEach { it.answer() }
                    repeat(ROUNDS) { round ->
                        val file = "limits-$round"
                        children.forEach { it.tell("open", folder.file(file), 10) }
                        children.forEach { it.answer() }
                        children.forEach { it.tell("take") }
                        withClue("permits of one bucket, taken by all in round $round") {
                            children.sumOf { it.answer().toInt() } shouldBe
                                100
                        }
                        children.forEach { it.tell("close") }
                        children.forEach { it.answer() }
                        folder.names().filter { "limits" in it } shouldBe listOf(file)
                        folder.file(file).toFile().delete()
                    }
                } finally {
                    children.forEach { it.close() }
                }
            }
        }
    }) {
    private companion object {
        const val PROCESSES = 16
        val ROUNDS: Int = Integer.getInteger("ratelimit.shared.creations", 200)
    }
}
