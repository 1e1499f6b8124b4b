import type { ReactNode } from 'react';
import type { Span } from './rules.ts';

/** What is drawn of each span. What is bad has a mark beside its colour. */
export interface Series {
  readonly label: string;
  readonly look: 'good' | 'bad' | 'busy' | 'soft' | 'warn';
  /** Bars stand on one another; lines go over them. */
  readonly as: 'bar' | 'line' | 'area';
  readonly isDashed?: boolean;
}

export interface ChartProps {
  readonly title: string;
  /** What it shows, in a sentence. */
  readonly summary: string;
  readonly series: readonly Series[];
  readonly spans: readonly Span[];
  /** Seconds of each span. */
  readonly step: number;
  /** Where the last span ends, which may be before it is over. */
  readonly to: Date;
  readonly format: (value: number) => string;
  /** Whether what is counted comes whole. */
  readonly isWhole?: boolean;
  /** What leads to what a span counts. */
  readonly linksOf?: (from: Date, to: Date) => ReactNode;
}
