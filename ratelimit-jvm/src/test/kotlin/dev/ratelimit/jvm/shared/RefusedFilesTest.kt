package dev.ratelimit.jvm.shared

import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.SharedMemoryStore
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.attribute.FileTime
import java.nio.file.attribute.PosixFilePermissions
import kotlin.io.path.createDirectory
import kotlin.io.path.createSymbolicLinkPointingTo
import kotlin.io.path.getLastModifiedTime
import kotlin.io.path.getPosixFilePermissions
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readBytes
import kotlin.io.path.setLastModifiedTime
import kotlin.io.path.setPosixFilePermissions
import kotlin.io.path.writeBytes

/** Files that the store must not use: it says which, why and what to do, and leaves them as they are. */
internal class RefusedFilesTest :
    FunSpec({
        val folder = tempdir().toPath()
        var number = 0

        fun valid(): Path = folder.resolve("limits${number++}").also { SharedMemoryStore.open(it, 10).close() }

        fun edited(edit: (ByteBuffer) -> Unit): Path {
            val path = valid()
            val bytes = path.readBytes()
            edit(ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()))
            path.writeBytes(bytes)
            return path
        }

        fun sized(size: Int): Path = valid().also { it.writeBytes(it.readBytes().copyOf(size)) }

        fun written(bytes: ByteArray): Path = folder.resolve("foreign${number++}").also { it.writeBytes(bytes) }

        fun refused(
            path: Path,
            reason: String,
            remedy: String = "delete it, or choose another path",
        ) {
            if (Files.isRegularFile(path)) {
                if ("mode" !in reason) path.setPosixFilePermissions(PosixFilePermissions.fromString("rw-------"))
                path.setLastModifiedTime(FileTime.fromMillis(1_000_000_000_000))
            }
            val before = if (Files.isRegularFile(path)) path.readBytes() else null
            val entries = folder.listDirectoryEntries().toSet()
            val message = shouldThrow<RateLimitStoreException> { SharedMemoryStore.open(path, 10) }.message.orEmpty()
            withClue(message) {
                message shouldContain "$path"
                message shouldContain reason
                message shouldContain remedy
            }
            folder.listDirectoryEntries().toSet() shouldBe entries
            if (before != null) {
                path.readBytes().contentEquals(before) shouldBe true
                path.getLastModifiedTime() shouldBe FileTime.fromMillis(1_000_000_000_000)
            }
        }

        test("files that are empty, foreign, cut short, damaged or of another kind are refused and left byte-identical") {
            refused(written(ByteArray(0)), "is not a file of rate limits: it has 0 bytes")
            refused(written(ByteArray(1)), "is not a file of rate limits: it has 1 byte")
            refused(written("# a file of my own\n".toByteArray()), "is not a file of rate limits: it has 19 bytes")
            refused(written(ByteArray(3_000_000) { it.toByte() }), "is not a file of rate limits")
            refused(written(ByteArray(3_000_000)), "is not a file of rate limits")
            refused(sized(100), "is not a file of rate limits: it has 100 bytes")
            refused(sized(5_000), "was cut short: it has 5000 bytes of at least ")
            refused(edited { it.putLong(Layout.VERSION, 2) }, "has version 2; this library reads version 1")
            refused(edited { it.putLong(Layout.BYTE_ORDER, 0x0807060504030201) }, "another byte order")
            val turned = edited { bytes ->
                for (at in 0 until Layout.SHIFT step Layout.WORD) bytes.putLong(at, java.lang.Long.reverseBytes(bytes.getLong(at)))
            }
            refused(turned, "another byte order")
            for (at in listOf(Layout.MAX_KEYS, Layout.GROUP_COUNT, Layout.ORIGIN, Layout.SEED_0, Layout.FILE_ID, Layout.CHECKSUM)) {
                for (bit in listOf(0, 17, 63)) {
                    refused(edited { it.putLong(at, it.getLong(at) xor (1L shl bit)) }, "the checksum of its header is wrong")
                }
            }
        }

        test("a path that leads nowhere, or to something that is not a file, is refused") {
            refused(folder.resolve("missing").resolve("limits"), "NoSuchFileException", REMEDY)
            refused(folder.resolve("folder").createDirectory(), "is not a file")
            refused(valid().resolve("limits"), "Not a directory", REMEDY)
        }

        test("CVE-2020-8908, goaccess#805: a symbolic link planted first is refused, whatever it leads to, which stays as it is") {
            val targets = listOf(valid(), written(ByteArray(10) { 1 }), folder.resolve("nothing"), folder)
            for (target in targets) {
                val before = if (Files.isRegularFile(target)) target.readBytes() else null
                val link = folder.resolve("link${number++}").createSymbolicLinkPointingTo(target)
                Files.isSymbolicLink(link) shouldBe true
                val message = shouldThrow<RateLimitStoreException> { SharedMemoryStore.open(link, 10) }.message.orEmpty()
                message shouldContain "$link is a symbolic link, which could lead anywhere; nothing was changed: delete it"
                if (before != null) target.readBytes().contentEquals(before) shouldBe true
            }
            Files.exists(folder.resolve("nothing")) shouldBe false
        }

        test("CVE-2020-8908: a file that others may use is refused, with the remedy") {
            for (mode in listOf("rw-rw-rw-", "rw-r-----", "rw----r--", "rw---x---")) {
                val path = valid()
                path.setPosixFilePermissions(PosixFilePermissions.fromString(mode))
                refused(path, "has the mode $mode, so others may use it", "chmod 600")
            }
        }

        test("CVE-2020-8908: a file of another owner is refused").config(enabled = isRoot()) {
            val path = valid()
            Files.setAttribute(path, "unix:uid", 65_534)
            refused(path, "belongs to the user 65534, not to 0, who runs this process")
        }

        test("a new file has mode 0600 whatever the umask") {
            for (umask in listOf("000", "022", "077")) {
                val path = folder.resolve("umask$umask")
                ChildJvm(OneCall::class, listOf("$path"), prefix = listOf("sh", "-c", "umask $umask; exec \"$@\"", "sh")).use { child ->
                    withClue("umask $umask: ${child.said}") {
                        child.ended() shouldBe 0
                        PosixFilePermissions.toString(path.getPosixFilePermissions()) shouldBe "rw-------"
                    }
                }
            }
        }

        test("a folder that may not be written to is named, with the remedy").config(enabled = isRoot()) {
            val closed = Files.createTempDirectory("ratelimit")
            closed.setPosixFilePermissions(PosixFilePermissions.fromString("r-xr-xr-x"))
            val path = closed.resolve("limits")
            // The superuser without the right to do whatever he likes.
            val prefix = listOf("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override")
            try {
                ChildJvm(OneCall::class, listOf("$path"), prefix = prefix).use { child ->
                    child.ended() shouldBe OneCall.REFUSED
                    child.said.joinToString() shouldContain "$path cannot be opened: AccessDeniedException"
                    child.said.joinToString() shouldContain REMEDY
                }
                closed.listDirectoryEntries() shouldBe emptyList()
            } finally {
                Files.delete(closed)
            }
        }
    })

internal fun isRoot() = Machine.user == 0
