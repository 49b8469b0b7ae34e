/** Values of one Prometheus page, by series name and labels. */
export class MetricsPage {
  readonly #samples: readonly { name: string; labels: string; value: number }[];

  private constructor(text: string) {
    this.#samples = text.split('\n').flatMap((line) => {
      const match = /^([a-z_]\w*)(?:\{(.*)\})? (\S+)$/.exec(line);
      return match === null ? [] : [{ name: match[1] ?? '', labels: match[2] ?? '', value: Number(match[3]) }];
    });
  }

  static async read(address: string): Promise<MetricsPage> {
    const answer = await fetch(`${address}/metrics`, { signal: AbortSignal.timeout(5_000) });
    if (!answer.ok) throw new Error(`${address}/metrics answered ${answer.status}`);
    return new MetricsPage(await answer.text());
  }

  /** Sum over all series of the name whose labels contain every given text. */
  sum(name: string, ...labels: string[]): number {
    return this.#samples
      .filter((sample) => sample.name === name && labels.every((label) => sample.labels.includes(label)))
      .reduce((sum, sample) => sum + sample.value, 0);
  }

  /** Value by labels of one name. */
  series(name: string): ReadonlyMap<string, number> {
    return new Map(this.#samples.filter((sample) => sample.name === name).map(({ labels, value }) => [labels, value]));
  }
}
