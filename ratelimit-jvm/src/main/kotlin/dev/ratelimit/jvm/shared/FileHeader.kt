package dev.ratelimit.jvm.shared

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.security.SecureRandom
import java.util.zip.CRC32C

/** The part of the header that is fixed when a file is made. */
internal class FileHeader(
    @JvmField val maxKeys: Int,
    @JvmField val groups: Int,
    /** The reading of the store's clock from which instants in the file count. */
    @JvmField val origin: Long,
    @JvmField val seed0: Long,
    @JvmField val seed1: Long,
    /** Tells this file from all others, also from its own successors at the same path. */
    @JvmField val id: Long,
) {
    fun encoded(): ByteBuffer {
        val bytes = ByteBuffer.allocate(Layout.STRIPES).order(ByteOrder.nativeOrder())
        bytes.putLong(Layout.MAGIC, MAGIC)
        bytes.putLong(Layout.VERSION, VERSION)
        bytes.putLong(Layout.BYTE_ORDER, BYTE_ORDER)
        bytes.putLong(Layout.MAX_KEYS, maxKeys.toLong())
        bytes.putLong(Layout.GROUP_COUNT, groups.toLong())
        bytes.putLong(Layout.ORIGIN, origin)
        bytes.putLong(Layout.SEED_0, seed0)
        bytes.putLong(Layout.SEED_1, seed1)
        bytes.putLong(Layout.FILE_ID, id)
        bytes.putLong(Layout.CHECKSUM, checksum(bytes))
        return bytes
    }

    companion object {
        /** "ratelimi", as ASCII. */
        private const val MAGIC = 0x696d696c65746172
        private const val VERSION = 1L
        private const val BYTE_ORDER = 0x0102030405060708

        fun create(
            maxKeys: Int,
            origin: Long,
        ): FileHeader {
            val random = SecureRandom()
            return FileHeader(maxKeys, Layout.groupsFor(maxKeys), origin, random.nextLong(), random.nextLong(), random.nextLong())
        }

        /** What [bytes] say, or throws [Unreadable]. */
        fun decoded(
            bytes: ByteBuffer,
            size: Long,
        ): FileHeader {
            bytes.order(ByteOrder.nativeOrder())
            flaw(bytes, size)?.let { throw Unreadable(it) }
            return FileHeader(
                bytes.getLong(Layout.MAX_KEYS).toInt(),
                bytes.getLong(Layout.GROUP_COUNT).toInt(),
                bytes.getLong(Layout.ORIGIN),
                bytes.getLong(Layout.SEED_0),
                bytes.getLong(Layout.SEED_1),
                bytes.getLong(Layout.FILE_ID),
            )
        }

        /** What is wrong with the file; null if nothing is. */
        private fun flaw(
            bytes: ByteBuffer,
            size: Long,
        ): String? {
            if (bytes.limit() < Layout.STRIPES) return "is not a file of rate limits: it has $size bytes"
            val version = bytes.getLong(Layout.VERSION)
            val whole = Layout.cellsAt(bytes.getLong(Layout.GROUP_COUNT).toInt())
            return when {
                bytes.getLong(Layout.BYTE_ORDER) == java.lang.Long.reverseBytes(BYTE_ORDER) -> "was made on a machine of another byte order"
                bytes.getLong(Layout.MAGIC) != MAGIC -> "is not a file of rate limits"
                version != VERSION -> "has version $version; this library reads version $VERSION"
                bytes.getLong(Layout.CHECKSUM) != checksum(bytes) -> "is damaged: the checksum of its header is wrong"
                size < whole -> "was cut short: it has $size bytes of at least $whole"
                else -> null
            }
        }

        private fun checksum(bytes: ByteBuffer): Long =
            CRC32C().apply { update(bytes.duplicate().position(0).limit(Layout.CHECKSUM)) }.value
    }
}

/** The file at a path is not one that this library can use; [message] goes on after the file's name. */
internal class Unreadable(
    message: String,
) : Exception(message)
