import { locale } from './region.ts';
const format = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const plural = new Intl.PluralRules('en');

export function number(amount: number): string {
  return format.format(amount);
}

/** An amount with its noun, such as `1 item` or `1,204 items`. */
export function count(amount: number, one: string, other: string): string {
  return `${number(amount)} ${plural.select(amount) === 'one' ? one : other}`;
}

export function items(amount: number): string {
  return count(amount, 'item', 'items');
}
