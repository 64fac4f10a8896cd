package malvakt.bench;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * The standard job on Kafka Streams, in two ways.
 *
 * <p>With the DSL, as its documentation teaches: each deal becomes twenty records keyed by scope and
 * window, which are grouped and aggregated. And tuned: four records keyed by scope, which a processor of
 * our own adds to five windows each. In both, totals have a changelog and a cache, and what is published
 * is what the cache holds when it is flushed, so that an aggregate that changed ten times within a commit
 * interval goes out once.
 */
public final class StandardJob {
  private static final long CACHE_BYTES = 64L << 20;
  private static final int BATCH_BYTES = 256 << 10;

  private StandardJob() {}

  public static void main(String[] arguments) {
    KafkaStreams streams = new KafkaStreams(topology(), properties());
    streams.setUncaughtExceptionHandler(
        error -> {
          error.printStackTrace();
          return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
    streams.setStateListener(
        (now, before) -> {
          if (now == KafkaStreams.State.ERROR) {
            Runtime.getRuntime().halt(1);
          }
        });
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }

  private static Topology topology() {
    return setting("TOPOLOGY").equals("dsl") ? dsl() : tuned();
  }

  private static Topology dsl() {
    StreamsBuilder builder = new StreamsBuilder();
    int partitions = Integer.parseInt(setting("PARTITIONS"));
    builder.stream(setting("INPUT"), Consumed.with(Serdes.String(), Serdes.ByteArray()))
        .flatMap((customer, event) -> byWindow(event))
        .repartition(
            Repartitioned.with(Serdes.String(), Sale.SERDE)
                .withName("by-scope")
                .withNumberOfPartitions(partitions))
        .groupByKey()
        .aggregate(
            () -> new Total(0, 0),
            (key, sale, total) -> new Total(total.deals() + 1, total.minor() + sale.minor()),
            Materialized.<String, Total>as(store())
                .withKeySerde(Serdes.String())
                .withValueSerde(Total.SERDE)
                .withCachingEnabled()
                .withLoggingEnabled(Map.of()))
        .toStream()
        .mapValues((key, total) -> total.json(key))
        .to(setting("OUTPUT"), Produced.with(Serdes.String(), Serdes.ByteArray()));
    return builder.build();
  }

  private static List<KeyValue<String, Sale>> byWindow(byte[] event) {
    return byScope(event).stream()
        .flatMap(
            sale ->
                Arrays.stream(Totals.windowsOf(sale.value.day()))
                    .map(window -> KeyValue.pair(sale.key + window, sale.value)))
        .toList();
  }

  private static Topology tuned() {
    StreamsBuilder builder = new StreamsBuilder();
    builder.addStateStore(totals());
    int partitions = Integer.parseInt(setting("PARTITIONS"));
    builder.stream(setting("INPUT"), Consumed.with(Serdes.String(), Serdes.ByteArray()))
        .flatMap((customer, event) -> byScope(event))
        .repartition(
            Repartitioned.with(Serdes.String(), Sale.SERDE)
                .withName("by-scope")
                .withNumberOfPartitions(partitions))
        .process(Totals::new, Totals.STORE)
        .to(setting("OUTPUT"), Produced.with(Serdes.String(), Serdes.ByteArray()));
    return builder.build();
  }

  private static List<KeyValue<String, Sale>> byScope(byte[] event) {
    Deal deal = Deal.parse(event);
    if (deal == null) {
      return List.of();
    }
    Sale sale = new Sale(deal.day(), deal.minor());
    return Arrays.stream(deal.scopes()).map(scope -> KeyValue.pair(scope, sale)).toList();
  }

  private static StoreBuilder<KeyValueStore<String, Total>> totals() {
    return Stores.keyValueStoreBuilder(store(), Serdes.String(), Total.SERDE)
        .withCachingEnabled()
        .withLoggingEnabled(Map.of());
  }

  private static KeyValueBytesStoreSupplier store() {
    return setting("STORE").equals("rocksdb")
        ? Stores.persistentKeyValueStore(Totals.STORE)
        : Stores.inMemoryKeyValueStore(Totals.STORE);
  }

  private static Properties properties() {
    Properties properties = new Properties();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, setting("APPLICATION_ID"));
    properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, setting("BROKER"));
    properties.put(StreamsConfig.STATE_DIR_CONFIG, setting("STATE_DIR"));
    properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, setting("THREADS"));
    properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, setting("COMMIT_MS"));
    properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.AT_LEAST_ONCE);
    properties.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, CACHE_BYTES);
    properties.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    // Compressed, as Målvakt's are, and in larger batches than the default of 16 KB: half as fast again.
    properties.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
    properties.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), BATCH_BYTES);
    return properties;
  }

  private static String setting(String name) {
    String value = System.getenv(name);
    if (value == null) {
      throw new IllegalArgumentException(name + " is not set in the environment.");
    }
    return value;
  }
}
