import type { ReactNode } from 'react';
import type { Span } from './rules.ts';

/** What is drawn of each span. What is bad has a mark beside its colour. */
export interface Series {
  readonly label: string;
  readonly look: 'good' | 'bad' | 'busy' | 'soft' | 'warn';
  /** Bars stand on one another; lines go over them. */
  readonly as: 'bar' | 'line' | 'area';
  readonly isDashed?: boolean;
  /** Whether what several spans have adds up, as what was counted in each does. */
  readonly isSum?: boolean;
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
  /** What leads to what is counted in a span, or in several. */
  readonly linksOf?: (from: Date, to: Date) => ReactNode;
  /** What can be done with a stretch of time: by a button, or by Enter. */
  readonly choose?: { readonly label: string; readonly act: (from: Date, to: Date) => void };
  /** Whether it is drawn low, above what it counts. */
  readonly isStrip?: boolean;
}
