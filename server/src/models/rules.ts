/** One attribute of a work item model. */
export interface Attribute {
  readonly name: string;
  readonly type: 'TEXT' | 'NUMBER' | 'DATE' | 'BOOLEAN';
  readonly isRequired: boolean;
}
