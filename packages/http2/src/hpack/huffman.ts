import { ConnectionError } from "../connection-error.ts";
import { errorCode } from "../frames.ts";

/**
 * The Huffman code of HPACK (RFC 7541 appendix B).
 *
 * It is canonical: codes are handed out in order of length, and among equals in order of symbol. The lengths
 * therefore say everything. Symbols of one length are listed as ranges, `from-to` or single.
 */
const symbolsByLength: readonly (readonly [bits: number, symbols: string])[] = [
  [5, "48-50 97 99 101 105 111 115 116"],
  [6, "32 37 45-47 51-57 61 65 95 98 100 102-104 108-110 112 114 117"],
  [7, "58 66-87 89 106 107 113 118-122"],
  [8, "38 42 44 59 88 90"],
  [10, "33 34 40 41 63"],
  [11, "39 43 124"],
  [12, "35 62"],
  [13, "0 36 64 91 93 126"],
  [14, "94 125"],
  [15, "60 96 123"],
  [19, "92 195 208"],
  [20, "128 130 131 162 184 194 224 226"],
  [21, "153 161 167 172 176 177 179 209 216 217 227 229 230"],
  [22, "129 132-134 136 146 154 156 160 163 164 169 170 173 178 181 185-187 189 190 196 198 228 232 233"],
  [23, "1 135 137-141 143 147 149-152 155 157 158 165 166 168 174 175 180 182 183 188 191 197 231 239"],
  [24, "9 142 144 145 148 159 171 206 215 225 236 237"],
  [25, "199 207 234 235"],
  [26, "192 193 200-202 205 210 213 218 219 238 240 242 243 255"],
  [27, "203 204 211 212 214 221-223 241 244-248 250-254"],
  [28, "2-8 11 12 14-21 23-31 127 220 249"],
  [30, "10 13 22 256"],
];

const endOfString = 256;
const longestCodeBits = 30;

interface CodesOfLength {
  readonly firstCode: number;
  readonly symbols: readonly number[];
}

const codes = buildCodes();

/** Reads a Huffman-coded string. Throws when the padding or a code is not one. Source: RFC 7541 §5.2. */
export function decodeHuffman(coded: Uint8Array): Buffer {
  const decoded: number[] = [];
  let code = 0;
  let bits = 0;
  for (const byte of coded) {
    for (let shift = 7; shift >= 0; shift -= 1) {
      code = code * 2 + ((byte >>> shift) & 1);
      bits += 1;
      const symbol = symbolOf(bits, code);
      if (symbol === undefined) continue;
      mustHold(symbol !== endOfString, "a Huffman string does not hold its own end");
      decoded.push(symbol);
      code = 0;
      bits = 0;
    }
  }
  mustHold(bits < 8 && code === 2 ** bits - 1, "a Huffman string is padded with fewer than eight ones");
  return Buffer.from(decoded);
}

function symbolOf(bits: number, code: number): number | undefined {
  mustHold(bits <= longestCodeBits, "a Huffman code is at most thirty bits long");
  const group = codes[bits];
  return group === undefined || code < group.firstCode ? undefined : group.symbols[code - group.firstCode];
}

function buildCodes(): readonly (CodesOfLength | undefined)[] {
  const table: (CodesOfLength | undefined)[] = [];
  let nextCode = 0;
  let lastBits = 0;
  for (const [bits, text] of symbolsByLength) {
    const symbols = text.split(" ").flatMap(expandRange);
    nextCode *= 2 ** (bits - lastBits);
    table[bits] = { firstCode: nextCode, symbols };
    nextCode += symbols.length;
    lastBits = bits;
  }
  if (nextCode !== 2 ** lastBits) throw new Error("the Huffman code is not complete");
  return table;
}

function expandRange(range: string): readonly number[] {
  const [from = 0, to = from] = range.split("-").map(Number);
  return Array.from({ length: to - from + 1 }, (_, step) => from + step);
}

function mustHold(fact: boolean, message: string): asserts fact {
  if (!fact) throw new ConnectionError(errorCode.compression, message);
}
