package malvakt.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** What a scope's window amounts to: sixteen bytes in the store, JSON for subscribers. */
record Total(long deals, long minor) {
  static final Serde<Total> SERDE =
      Serdes.serdeFrom((topic, total) -> total.bytes(), (topic, bytes) -> of(bytes));

  private static final JsonFactory JSON = new JsonFactory();
  private static final int JSON_BYTES = 128;

  /** This total as subscribers read it; the key is scope, grain and start. */
  byte[] json(String key) {
    int scopeEnd = key.indexOf('|');
    int grainEnd = key.indexOf('|', scopeEnd + 1);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(JSON_BYTES);
    try (JsonGenerator json = JSON.createGenerator(bytes)) {
      json.writeStartObject();
      json.writeStringField("scope", key.substring(0, scopeEnd));
      json.writeStringField("grain", key.substring(scopeEnd + 1, grainEnd));
      json.writeStringField("start", key.substring(grainEnd + 1));
      json.writeNumberField("deals_won", deals);
      json.writeNumberField("revenue", minor);
      json.writeEndObject();
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
    return bytes.toByteArray();
  }

  private byte[] bytes() {
    return ByteBuffer.allocate(2 * Long.BYTES).putLong(deals).putLong(minor).array();
  }

  private static Total of(byte[] bytes) {
    if (bytes == null) {
      return null;
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    return new Total(buffer.getLong(), buffer.getLong());
  }
}
