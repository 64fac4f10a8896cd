"""A second opinion: every figure again from the raw events, in SQL, and what differs from the published.

Written from the definitions of the KPIs and nothing else: it shares no code with `kpis/`, so that a
mistake made there is not made here again. It knows no Kafka: events and records are handed to it.
"""
