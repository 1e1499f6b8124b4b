import { inLanguage } from '../messages/language.ts';
import { m as common } from '../messages/messages.ts';

const en = {
  views: {
    views: 'Views',
    view: (name: string, isChanged: boolean) => (isChanged ? `View: ${name} (changed)` : `View: ${name}`),
    own: 'Mine',
    shared: 'Shared with all who see the queue',
    act: 'Keep what is shown',
    save: 'Save as a view …',
    saveTitle: 'Save as a view',
    update: (name: string) => `Save the changes to “${name}”`,
    rename: 'Rename or share …',
    renameTitle: 'Rename or share the view',
    remove: 'Delete …',
    removeTitle: 'Delete the view',
    removeText: (name: string, isShared: boolean) =>
      isShared
        ? `“${name}” is gone for all who see the queue. The items stay.`
        : `“${name}” is gone. The items stay.`,
    keep: 'Save',
    removeIt: 'Delete',
    name: 'Name',
    isShared: 'Shared',
    share: 'Share it with all who see the queue',
    by: (name: string) => `by ${name}`,
    gone: 'That view is not there any more, or not for you.',
  },
};

/** The texts of saved views. */
export const m = { ...common, ...inLanguage({ en }) };
