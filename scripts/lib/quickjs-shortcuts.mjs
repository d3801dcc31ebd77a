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
        if (p->class_id == JS_CLASS_OBJECT && !p->is_exotic && p->extensible && !find_own_property(&pr, p, prop)) {
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
];
