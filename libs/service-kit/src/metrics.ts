import {
  collectDefaultMetrics,
  Counter as PrometheusCounter,
  Gauge as PrometheusGauge,
  Histogram as PrometheusHistogram,
  Registry,
} from '@prometheus-io/client';

/** `inc()`, `inc(5)`, `inc({ label }, 5)`. */
export type Counter = PrometheusCounter<string>;
/** `set(5)`, `set({ label }, 5)`, `inc`, `dec`. */
export type Gauge = PrometheusGauge<string>;
/** `observe(0.2)`, `observe({ label }, 0.2)`. */
export type Histogram = PrometheusHistogram<string>;

export interface MetricDefinition {
  /** With the prefix `chat_`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

export interface CounterDefinition extends MetricDefinition {
  /**
   * The series that are known beforehand. They begin at 0: in one that appears with its first count Prometheus sees no
   * increase, so that no alert fires for the first of them, and until then a panel has nothing to show.
   */
  readonly series?: readonly Readonly<Record<string, string>>[];
}

export interface GaugeDefinition extends MetricDefinition {
  /** Called on each scrape, for values that are cheaper to read than to keep. */
  readonly collect?: (gauge: Gauge) => void | Promise<void>;
}

export interface HistogramDefinition extends MetricDefinition {
  readonly buckets?: readonly number[];
}

/** 1 ms to 30 s, fine where a live message should lie. */
export const LATENCY_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/**
 * The metrics of one process. Asking for a known name gives the metric that exists, so that parts living together in
 * one process share it.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #histograms = new Map<string, Histogram>();

  constructor(service: string) {
    collectDefaultMetrics({ register: this.#registry, prefix: 'chat_' });
    this.gauge({ name: 'chat_service_info', help: '1, with the name of the service', labels: ['service'] }).set(
      { service },
      1,
    );
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  counter({ name, help, labels = [], series = [] }: CounterDefinition): Counter {
    return known(this.#counters, name, () => {
      const counter = new PrometheusCounter({ name, help, labelNames: [...labels], registers: [this.#registry] });
      for (const one of series) counter.inc({ ...one }, 0);
      return counter;
    });
  }

  gauge({ name, help, labels = [], collect }: GaugeDefinition): Gauge {
    return known(this.#gauges, name, () => {
      const options = { name, help, labelNames: [...labels], registers: [this.#registry] };
      if (collect === undefined) return new PrometheusGauge(options);
      const gauge: Gauge = new PrometheusGauge({ ...options, collect: () => collect(gauge) });
      return gauge;
    });
  }

  histogram({ name, help, labels = [], buckets = LATENCY_BUCKETS }: HistogramDefinition): Histogram {
    return known(this.#histograms, name, () => {
      return new PrometheusHistogram({
        name,
        help,
        labelNames: [...labels],
        buckets: [...buckets],
        registers: [this.#registry],
      });
    });
  }

  /** The exposition text of all metrics. */
  collect(): Promise<string> {
    return this.#registry.metrics();
  }
}

function known<M>(metrics: Map<string, M>, name: string, create: () => M): M {
  if (!name.startsWith('chat_')) throw new Error(`metric ${name} must begin with chat_`);
  const existing = metrics.get(name);
  if (existing !== undefined) return existing;
  const metric = create();
  metrics.set(name, metric);
  return metric;
}

export function createMetrics(service: string): Metrics {
  return new Metrics(service);
}
