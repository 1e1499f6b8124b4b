// The parts of the package in use here; it brings no declarations.
declare module 'saxen' {
  type Attributes = Readonly<Record<string, string>>;
  type Decode = (text: string) => string;

  interface Handlers {
    openTag: (name: string, attributes: () => Attributes, decode: Decode) => void;
    closeTag: (name: string) => void;
    text: (text: string, decode: Decode) => void;
    cdata: (text: string) => void;
    /** A declaration such as that of a document type. */
    attention: (text: string) => void;
    error: (error: Error) => void;
  }

  /** Reads XML part by part, and calls a handler for each token. */
  export class Parser {
    on<Name extends keyof Handlers>(name: Name, handler: Handlers[Name]): this;
    write(text: string): this;
    end(): unknown;
  }
}
