import type { ReactNode } from 'react';
import type { Mark, Span } from './rules.ts';

/** A value drawn for each span. Bad ones have a mark beside their colour. */
export interface Series {
  readonly label: string;
  readonly look: 'good' | 'bad' | 'busy' | 'soft' | 'warn';
  /** Bars are stacked; lines are drawn over them. */
  readonly as: 'bar' | 'line' | 'area';
  readonly isDashed?: boolean;
  /** Whether what several spans have adds up, as what was counted in each does. */
  readonly isSum?: boolean;
}

export interface ChartProps {
  readonly title: string;
  /** The chart in one sentence. */
  readonly summary: string;
  readonly series: readonly Series[];
  readonly spans: readonly Span[];
  /** The length of each span, in seconds. */
  readonly step: number;
  /** The end of the last span, which may come before the span is over. */
  readonly to: Date;
  readonly format: (value: number) => string;
  /** Whether the values are lengths of time, in seconds. */
  readonly isDuration?: boolean;
  /** Whether the values are whole numbers. */
  readonly isWhole?: boolean;
  /** The changes meanwhile, by people above all. */
  readonly marks?: readonly Mark[] | undefined;
  /** The links to the things counted in a span, or in several. */
  readonly linksOf?: (from: Date, to: Date) => ReactNode;
  /** The action on a stretch of time: by a button, or by Enter. */
  readonly choose?: { readonly label: string; readonly act: (from: Date, to: Date) => void };
  /** Whether it is drawn low, above what it counts. */
  readonly isStrip?: boolean;
}
