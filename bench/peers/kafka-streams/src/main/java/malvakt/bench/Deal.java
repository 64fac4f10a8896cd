package malvakt.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.time.OffsetDateTime;
import java.time.ZoneId;

/** What the job needs of a deal.won event: the local day, the value in hundredths, and whose it is. */
record Deal(int day, long minor, String seller, String customer) {
  private static final JsonFactory JSON = new JsonFactory();
  private static final ZoneId ZONE = ZoneId.of("Europe/Stockholm");
  private static final int TEAMS = 20;

  /** The deal an event tells of; null where it is another event. */
  static Deal parse(byte[] event) {
    String type = null;
    String time = null;
    String value = "0";
    String seller = null;
    String customer = null;
    try (JsonParser parser = JSON.createParser(event)) {
      // Names are unique in the envelope and its data together, so depth need not be looked at.
      for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
        if (token != JsonToken.VALUE_STRING) {
          continue;
        }
        switch (parser.currentName()) {
          case "type" -> type = parser.getText();
          case "time" -> time = parser.getText();
          case "value" -> value = parser.getText();
          case "seller" -> seller = parser.getText();
          case "customer" -> customer = parser.getText();
          default -> {}
        }
      }
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
    if (!"deal.won".equals(type)) {
      return null;
    }
    int day = (int) OffsetDateTime.parse(time).atZoneSameInstant(ZONE).toLocalDate().toEpochDay();
    long minor = new BigDecimal(value).movePointRight(2).longValueExact();
    return new Deal(day, minor, seller, customer);
  }

  String[] scopes() {
    int team = Integer.parseInt(seller.substring(1)) % TEAMS;
    return new String[] {"company", "team:t" + team, "seller:" + seller, "customer:" + customer};
  }
}
