"""What is shipped to run the parts: Kafka for a laptop, images, Compose."""
