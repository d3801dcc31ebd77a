/**
 * Short ways through the engine for what a command does thousands of times: a new property of a plain object, a new last
 * element of an array, and a search in a text. Other cases take the engine's own way.
 */

const define = `int JS_DefinePropertyValue(JSContext *ctx, JSValueConst this_obj,
                           JSAtom prop, JSValue val, int flags)
{
    int ret;
`;

const defineNew = `${define}    if (JS_VALUE_GET_TAG(this_obj) == JS_TAG_OBJECT) {
        JSObject *p = JS_VALUE_GET_OBJ(this_obj);
        JSProperty *pr;
        if ((p->class_id == JS_CLASS_OBJECT || p->class_id == JS_CLASS_BYTECODE_FUNCTION) && !p->is_exotic && p->extensible &&
            !find_own_property(&pr, p, prop)) {
            pr = add_property(ctx, p, prop, flags & JS_PROP_C_W_E);
            if (unlikely(!pr)) {
                JS_FreeValue(ctx, val);
                return -1;
            }
            pr->u.value = val;
            return true;
        }
    }
`;

const defineElement = `int JS_DefinePropertyValueValue(JSContext *ctx, JSValueConst this_obj,
                                JSValue prop, JSValue val, int flags)
{
    JSAtom atom;
    int ret;
`;

const defineLastElement = `${defineElement}    if (JS_VALUE_GET_TAG(this_obj) == JS_TAG_OBJECT && JS_VALUE_GET_TAG(prop) == JS_TAG_INT) {
        JSObject *p = JS_VALUE_GET_OBJ(this_obj);
        if (p->class_id == JS_CLASS_ARRAY && p->fast_array && p->extensible &&
            (uint32_t)JS_VALUE_GET_INT(prop) == p->u.array.count && (flags & JS_PROP_C_W_E) == JS_PROP_C_W_E)
            return add_fast_array_element(ctx, p, val, flags);
    }
`;

const compareEverywhere = `        for (i = start;; i++) {
            if (!string_cmp(p, p1, i, 0, v_len)) {
                ret = 1;
                break;
            }
            if (i == stop)
                break;
        }
`;

const searchByte = `        if ((c & ~0xff) == 0) {
            for (i = from; i < len; i++) {
                if (str8(p)[i] == (uint8_t)c)
                    return i;
            }
        }
`;

const searchByteByLibc = `        if ((c & ~0xff) == 0) {
            const uint8_t *found = memchr(str8(p) + from, c, len - from);
            if (found)
                return found - str8(p);
        }
`;

const strictEqual = `    bool res;
    res = js_strict_eq(ctx, sp[-2], sp[-1]);
`;

/** Most of what is compared are short texts, which are often the same one or of different lengths. */
const strictEqualTexts = `    bool res;
    if (JS_VALUE_GET_TAG(sp[-2]) == JS_TAG_STRING && JS_VALUE_GET_TAG(sp[-1]) == JS_TAG_STRING) {
        JSString *p1 = JS_VALUE_GET_STRING(sp[-2]), *p2 = JS_VALUE_GET_STRING(sp[-1]);
        res = p1 == p2 || js_string_eq(p1, p2);
    } else {
        res = js_strict_eq(ctx, sp[-2], sp[-1]);
    }
`;

const countNonAscii = `        count = 0;
        for (pos = 0; pos < len; pos++) {
            count += src[pos] >> 7;
        }
`;

const countNonAsciiByEight = `        count = 0;
        for (pos = js_ascii_words(src, len); pos < len; pos++) {
            count += src[pos] >> 7;
        }
`;

const asciiWords = `/* How many bytes at the start are ASCII, in steps of eight. */
static size_t js_ascii_words(const void *bytes, size_t len)
{
    size_t at;
    uint64_t word;
    for (at = 0; at + 8 <= len; at += 8) {
        memcpy(&word, (const uint8_t *)bytes + at, 8);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    return at;
}

`;

const newString = `JSValue JS_NewStringLen(JSContext *ctx, const char *buf, size_t buf_len)
{
`;

const newAsciiString = `${newString}    size_t ascii = buf_len <= JS_STRING_LEN_MAX ? js_ascii_words(buf, buf_len) : 0;
    if (ascii > 0) {
        while (ascii < buf_len && (uint8_t)buf[ascii] < 0x80)
            ascii++;
        if (ascii == buf_len)
            return js_new_string8_len(ctx, buf, buf_len);
    }
`;

/** @type {import('./quickjs-changes.mjs').Change[]} */
export const shortcuts = [
  { find: define, put: defineNew, times: 1 },
  { find: defineElement, put: defineLastElement, times: 1 },
  {
    find: compareEverywhere,
    put: `        if (magic == 0)\n            ret = string_indexof(p, p1, start) >= 0;\n        else\n            ret = !string_cmp(p, p1, start, 0, v_len);\n`,
    times: 1,
  },
  { find: searchByte, put: searchByteByLibc, times: 1 },
  { find: strictEqual, put: strictEqualTexts, times: 1 },
  { find: countNonAscii, put: countNonAsciiByEight, times: 1 },
  { find: newString, put: `${asciiWords}${newAsciiString}`, times: 1 },
];
