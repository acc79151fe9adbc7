/** A SOAP message as our services see it: read from HTTP by the front, and never by node-soap. */

export type SoapVersion = "1.1" | "1.2";

/** One child of the request's element, in the order it came. */
export interface SoapField {
  /** Local name. */
  readonly name: string;
  /** Absent: it is in no namespace, as the children of our contracts are. */
  readonly namespace?: string;
  /** Its own text, as written: white space, digits and CDATA kept. */
  readonly text: string;
  /** Its `@code`. */
  readonly code?: string;
  /** Its `@contentType`. */
  readonly contentType?: string;
  /** Bytes of the part its `xop:Include` names; never copied into the text. */
  readonly part?: Uint8Array;
  /** Content-Type of that part, as written. */
  readonly partType?: string;
  /** It said `xsi:nil="true"`, as PHP does for a value that is not there. */
  readonly nil?: true;
  /** It holds elements, which are not read: no parameter of our contracts has any. */
  readonly nested?: true;
}

/** What a message says its action is, and where it says so. */
export interface SoapActionPlace {
  /** French, for the fault that compares them. */
  readonly place: string;
  readonly action: string;
}

export interface SoapRequest {
  readonly version: SoapVersion;
  /** How it was framed: its answer is framed alike. */
  readonly framing: "mtom" | "plain";
  /** It sent a part as `binary`: it reads any bytes in a part of the answer. */
  readonly readsBinary: boolean;
  /** Wherever the stack put it; undefined when nowhere. Where `actions` differ, the first. */
  readonly action?: string;
  /** Every place that names an action; matching an operation compares them. */
  readonly actions: readonly SoapActionPlace[];
  readonly namespace: string;
  /** Local name of the one element of the Body. */
  readonly element: string;
  readonly fields: readonly SoapField[];
}

/** What an answer holds, in the order of the contract. */
export type SoapResult =
  | { readonly name: string; readonly text: string }
  | { readonly name: string; readonly file: Uint8Array; readonly contentType: string }
  /** An element of elements, all in no namespace: what lists are made of. */
  | { readonly name: string; readonly children: readonly SoapResult[] };

/** A failure told to the caller, in the shape of its own SOAP version. */
export interface SoapFault {
  /** `sender`: the request is at fault. */
  readonly who: "sender" | "receiver" | "versionMismatch" | "mustUnderstand";
  /** Stable code of `domain/errors.ts`: a subcode in SOAP 1.2, in the detail of both. */
  readonly code: string;
  /** French. */
  readonly text: string;
  /** Names of our own elements, with their text, in the detail: identifiers, controls. */
  readonly detail?: readonly { readonly name: string; readonly text: string }[];
  /** Of `mustUnderstand`: the header blocks that were not. */
  readonly notUnderstood?: readonly { readonly namespace: string; readonly name: string }[];
  /** Of `versionMismatch`: what would be understood. */
  readonly supported?: readonly SoapVersion[];
  /** The fault its WSDL declares: then this element is alone in the detail, and `detail` is not. */
  readonly typed?: {
    readonly namespace: string;
    readonly element: string;
    readonly children: readonly SoapResult[];
  };
}
