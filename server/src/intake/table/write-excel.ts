import { inSlices, mapped } from '../../engine/slices.ts';
import { rowXml, type SheetCell } from '../../work-items/export/sheet.rules.ts';
import { workbookOf } from '../../work-items/export/workbook.ts';
import { isEmpty, shownCell, type Cell } from './cells.rules.ts';

/** Rows as a workbook with one sheet, part by part. Texts stay texts, whatever they begin with. */
export function workbookWith(rows: readonly (readonly Cell[])[], sheet: string): AsyncIterable<Buffer> {
  const xmlOf = (cells: readonly Cell[]) => rowXml(cells.map(written), 'UTC');
  async function* portions() {
    yield await inSlices(mapped(rows, xmlOf));
  }
  return workbookOf({ name: sheet, head: '', portions: portions() });
}

/** The cell in the form for writing sheets; a date stays on the clock of the file, whatever its zone. */
function written(cell: Cell): SheetCell {
  if (isEmpty(cell)) return undefined;
  if (typeof cell === 'number') return { number: String(cell) };
  if (typeof cell !== 'object') return cell;
  if ('shown' in cell || 'broken' in cell) return shownCell(cell);
  const { day, time } = cell;
  if (day !== undefined) return { on: time === undefined ? day : `${day}T${time}Z` };
  return time === undefined ? undefined : { time };
}
