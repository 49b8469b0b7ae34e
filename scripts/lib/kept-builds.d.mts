import type { Plugin } from 'vite';

export interface KeptBuilds {
  readonly stash: string;
  readonly builds: readonly { readonly at: string; readonly files: readonly string[] }[];
}
export function stashBuilds(folder: string): KeptBuilds | null;
export function keepBuilds(folder: string, kept: KeptBuilds | null, now?: number): void;
export function keepingBuilds(folder: string): Plugin;
