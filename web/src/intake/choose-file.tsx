import type { Id } from '@millrace/api';
import { FileUp } from 'lucide-react';
import { Button, DropZone, FileTrigger, type DropItem } from 'react-aria-components';
import { Command } from '../page/states.tsx';
import { m } from './messages.ts';
import css from './intake.module.css';

interface Props {
  readonly queueId: Id;
  readonly onChoose: (file: File) => void;
}

/** Takes a file: dropped, chosen or pasted. */
export function ChooseFile({ queueId, onChoose }: Props) {
  const drop = async (dropped: readonly DropItem[]) => {
    const item = dropped.find(({ kind }) => kind === 'file');
    if (item?.kind === 'file') onChoose(await item.getFile());
  };
  return (
    <>
      <DropZone
        className={css.drop}
        aria-label={m.intake.drop}
        onDrop={({ items }) => void drop(items)}
        getDropOperation={() => 'copy'}
      >
        <FileUp size={28} aria-hidden="true" />
        <p>
          <b>{m.intake.drop}</b>
        </p>
        <p>{m.intake.dropText}</p>
        <FileTrigger
          onSelect={(files) => {
            const file = files?.[0];
            if (file) onChoose(file);
          }}
        >
          <Button className="primary">{m.intake.choose}</Button>
        </FileTrigger>
      </DropZone>
      <p className="soft">{m.intake.command}</p>
      <Command>{`millrace upload ${String(queueId)} orders.xlsx --dry-run`}</Command>
    </>
  );
}
