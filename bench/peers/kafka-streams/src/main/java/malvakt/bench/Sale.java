package malvakt.bench;

import java.nio.ByteBuffer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** A deal's share in a scope, as it travels: twelve bytes. */
record Sale(int day, long minor) {
  static final Serde<Sale> SERDE =
      Serdes.serdeFrom((topic, sale) -> sale.bytes(), (topic, bytes) -> of(bytes));

  private byte[] bytes() {
    return ByteBuffer.allocate(Integer.BYTES + Long.BYTES).putInt(day).putLong(minor).array();
  }

  private static Sale of(byte[] bytes) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    return new Sale(buffer.getInt(), buffer.getLong());
  }
}
