/**
 * Short ways for JSON: one pass over a usual text, and one over plain objects and arrays. At anything unusual (an error, a
 * name with an escape, a toJSON, a getter) they give up without having done anything, and the engine's own way begins
 * anew.
 */

const parse = `
/* Bytes that a string of a JSON text, and a quoted text, has as they are. */
static inline bool json_is_plain_byte(uint8_t c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\\\';
}

static inline const uint8_t *json_skip_space(const uint8_t *p)
{
    while (*p == ' ' || *p == '\\n' || *p == '\\r' || *p == '\\t')
        p++;
    return p;
}

/* The text ends with a zero, which is no plain byte. */
static inline const uint8_t *json_skip_plain(const uint8_t *p)
{
    while (json_is_plain_byte(*p))
        p++;
    return p;
}

static JSValue json_usual_value(JSParseState *s, const uint8_t **pp);

static JSValue json_usual_object(JSParseState *s, const uint8_t **pp)
{
    JSContext *ctx = s->ctx;
    const uint8_t *p = json_skip_space(*pp + 1), *start;
    JSValue obj = JS_NewObject(ctx), val;
    JSAtom name;
    int ret;
    if (JS_IsException(obj))
        return JS_UNINITIALIZED;
    if (*p == '}') {
        *pp = p + 1;
        return obj;
    }
    for (;;) {
        if (*p != '"')
            break;
        start = p + 1;
        p = json_skip_plain(start);
        if (*p != '"')
            break;
        name = JS_NewAtomLen(ctx, (const char *)start, p - start);
        if (name == JS_ATOM_NULL)
            break;
        p = json_skip_space(p + 1);
        val = JS_UNINITIALIZED;
        if (*p == ':') {
            p = json_skip_space(p + 1);
            val = json_usual_value(s, &p);
        }
        if (JS_IsUninitialized(val)) {
            JS_FreeAtom(ctx, name);
            break;
        }
        ret = JS_DefinePropertyValue(ctx, obj, name, val, JS_PROP_C_W_E);
        JS_FreeAtom(ctx, name);
        if (ret < 0)
            break;
        p = json_skip_space(p);
        if (*p == '}') {
            *pp = p + 1;
            return obj;
        }
        if (*p != ',')
            break;
        p = json_skip_space(p + 1);
    }
    JS_FreeValue(ctx, obj);
    return JS_UNINITIALIZED;
}

static JSValue json_usual_array(JSParseState *s, const uint8_t **pp)
{
    JSContext *ctx = s->ctx;
    const uint8_t *p = json_skip_space(*pp + 1);
    JSValue arr = JS_NewArray(ctx), val;
    if (JS_IsException(arr))
        return JS_UNINITIALIZED;
    if (*p == ']') {
        *pp = p + 1;
        return arr;
    }
    for (;;) {
        val = json_usual_value(s, &p);
        if (JS_IsUninitialized(val) || add_fast_array_element(ctx, JS_VALUE_GET_OBJ(arr), val, 0) < 0)
            break;
        p = json_skip_space(p);
        if (*p == ']') {
            *pp = p + 1;
            return arr;
        }
        if (*p != ',')
            break;
        p = json_skip_space(p + 1);
    }
    JS_FreeValue(ctx, arr);
    return JS_UNINITIALIZED;
}

static JSValue json_usual_string(JSParseState *s, const uint8_t **pp)
{
    const uint8_t *start = *pp + 1, *p = json_skip_plain(start);
    JSValue val;
    if (*p == '"') {
        *pp = p + 1;
        val = js_new_string8_len(s->ctx, (const char *)start, p - start);
        return JS_IsException(val) ? JS_UNINITIALIZED : val;
    }
    *pp = start;
    if (json_parse_string(s, pp))
        return JS_UNINITIALIZED;
    s->token.val = ' ';
    return s->token.u.str.str;
}

/* An integer of at most nine digits without a sign, or whatever else begins as a number does. */
static JSValue json_usual_number(JSParseState *s, const uint8_t **pp)
{
    const uint8_t *start = *pp, *p = start;
    int32_t n = 0;
    while (is_digit(*p) && p - start < 9)
        n = n * 10 + (*p++ - '0');
    if (p > start && !is_digit(*p) && *p != '.' && *p != 'e' && *p != 'E' && (*start != '0' || p == start + 1)) {
        *pp = p;
        return js_int32(n);
    }
    if (json_parse_number(s, pp))
        return JS_UNINITIALIZED;
    s->token.val = ' ';
    return s->token.u.num.val;
}

/* JS_UNINITIALIZED if the text is not usual; then nothing counts of what has been done, an exception included. */
static JSValue json_usual_value(JSParseState *s, const uint8_t **pp)
{
    const uint8_t *p = *pp;
    if (js_check_stack_overflow(s->ctx->rt, 0))
        return JS_UNINITIALIZED;
    switch (*p) {
    case '{':
        return json_usual_object(s, pp);
    case '[':
        return json_usual_array(s, pp);
    case '"':
        return json_usual_string(s, pp);
    case 't':
        if (memcmp(p, "true", 4))
            return JS_UNINITIALIZED;
        *pp = p + 4;
        return JS_TRUE;
    case 'f':
        if (memcmp(p, "false", 5))
            return JS_UNINITIALIZED;
        *pp = p + 5;
        return JS_FALSE;
    case 'n':
        if (memcmp(p, "null", 4))
            return JS_UNINITIALIZED;
        *pp = p + 4;
        return JS_NULL;
    case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
        return json_usual_number(s, pp);
    default:
        return JS_UNINITIALIZED;
    }
}

static JSValue json_usual_text(JSParseState *s)
{
    const uint8_t *p = json_skip_space(s->buf_start);
    JSValue val = json_usual_value(s, &p);
    if (!JS_IsUninitialized(val)) {
        if (json_skip_space(p) == s->buf_end)
            return val;
        JS_FreeValue(s->ctx, val);
    }
    JS_FreeValue(s->ctx, JS_GetException(s->ctx));
    return JS_UNINITIALIZED;
}

static JSValue JS_ParseJSON_internal(`;

const parseStart = `    js_parse_init(ctx, s, buf, buf_len, filename, 1);
    if (json_next_token(s))
        goto fail;
    val = json_parse_value(s, pr);`;

const parseUsual = `    js_parse_init(ctx, s, buf, buf_len, filename, 1);
    if (!pr) {
        val = json_usual_text(s);
        if (!JS_IsUninitialized(val))
            return val;
        val = JS_UNDEFINED;
        js_parse_init(ctx, s, buf, buf_len, filename, 1);
    }
    if (json_next_token(s))
        goto fail;
    val = json_parse_value(s, pr);`;

const quote = `
/* Room for so many bytes at the end of a text of bytes; NULL without memory. */
js_inline uint8_t *string_buffer_room8(StringBuffer *b, size_t count)
{
    uint8_t *end;
    if (unlikely(b->len + count > (size_t)b->size) && string_buffer_realloc(b, b->len + count, 0))
        return NULL;
    end = (uint8_t *)&b->str[1] + b->len;
    b->len += count;
    return end;
}

js_inline int string_buffer_byte(StringBuffer *b, uint8_t c)
{
    uint8_t *to = string_buffer_room8(b, 1);
    if (!to)
        return -1;
    *to = c;
    return 0;
}

static int string_buffer_quote8(StringBuffer *b, const uint8_t *p, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    const uint8_t *end = p + len, *start = p;
    uint8_t escape[6] = { '\\\\', 'u', '0', '0' }, *to;
    while (start < end && (json_is_plain_byte(*start) || *start >= 0x80))
        start++;
    if (start == end) {
        to = string_buffer_room8(b, len + 2);
        if (!to)
            return -1;
        *to = '"';
        memcpy(to + 1, p, len);
        to[len + 1] = '"';
        return 0;
    }
    string_buffer_byte(b, '"');
    while (p < end) {
        start = p;
        while (p < end && (json_is_plain_byte(*p) || *p >= 0x80))
            p++;
        if (p > start)
            string_buffer_write8(b, start, p - start);
        if (p == end)
            break;
        switch (*p) {
        case '\\t': escape[1] = 't'; break;
        case '\\r': escape[1] = 'r'; break;
        case '\\n': escape[1] = 'n'; break;
        case '\\b': escape[1] = 'b'; break;
        case '\\f': escape[1] = 'f'; break;
        case '"': case '\\\\': escape[1] = *p; break;
        default:
            escape[1] = 'u';
            escape[4] = hex[*p >> 4];
            escape[5] = hex[*p & 15];
        }
        string_buffer_write8(b, escape, escape[1] == 'u' ? 6 : 2);
        p++;
    }
    return string_buffer_putc8(b, '"');
}

/* Deeper ones, and circles, take the engine's own way. */
#define JSON_PLAIN_DEPTH 64

static int json_plain_to_str(JSContext *ctx, JSONStringifyContext *jsc, JSValueConst val, int depth);

static void json_plain_line(JSContext *ctx, JSONStringifyContext *jsc, int depth)
{
    JSString *gap = JS_VALUE_GET_STRING(jsc->gap);
    uint8_t *to;
    size_t i;
    if (gap->len == 0)
        return;
    to = string_buffer_room8(jsc->b, 1 + (size_t)depth * gap->len);
    if (!to)
        return;
    *to++ = '\\n';
    while (depth-- > 0) {
        for (i = 0; i < gap->len; i++)
            *to++ = str8(gap)[i];
    }
}

static int json_plain_array(JSContext *ctx, JSONStringifyContext *jsc, JSObject *p, int depth)
{
    uint32_t i, len = p->u.array.count;
    string_buffer_byte(jsc->b, '[');
    for (i = 0; i < len; i++) {
        JSValueConst val = p->u.array.u.values[i];
        if (i > 0)
            string_buffer_byte(jsc->b, ',');
        json_plain_line(ctx, jsc, depth + 1);
        if (json_plain_to_str(ctx, jsc, JS_IsUndefined(val) ? JS_NULL : val, depth + 1))
            return 1;
    }
    if (len > 0)
        json_plain_line(ctx, jsc, depth);
    return string_buffer_byte(jsc->b, ']');
}

static int json_plain_object(JSContext *ctx, JSONStringifyContext *jsc, JSObject *p, int depth)
{
    JSShape *sh = p->shape;
    JSShapeProperty *prs = get_shape_prop(sh);
    bool some = false;
    int i;
    string_buffer_byte(jsc->b, '{');
    for (i = 0; i < sh->prop_count; i++, prs++) {
        JSAtomStruct *name;
        JSValueConst val;
        if (prs->atom == JS_ATOM_NULL)
            continue;
        /* Numbers come first, whatever the order is in which they were added. */
        if ((prs->flags & (JS_PROP_TMASK | JS_PROP_ENUMERABLE)) != JS_PROP_ENUMERABLE || __JS_AtomIsTaggedInt(prs->atom))
            return 1;
        name = ctx->rt->atom_array[prs->atom];
        if (name->atom_type != JS_ATOM_TYPE_STRING || name->is_wide_char || name->len == 0 || is_digit(str8(name)[0]))
            return 1;
        val = p->prop[i].u.value;
        if (JS_IsUndefined(val))
            continue;
        if (some)
            string_buffer_byte(jsc->b, ',');
        some = true;
        json_plain_line(ctx, jsc, depth + 1);
        string_buffer_quote8(jsc->b, str8(name), name->len);
        string_buffer_byte(jsc->b, ':');
        if (JS_VALUE_GET_STRING(jsc->gap)->len != 0)
            string_buffer_byte(jsc->b, ' ');
        if (json_plain_to_str(ctx, jsc, val, depth + 1))
            return 1;
    }
    if (some)
        json_plain_line(ctx, jsc, depth);
    return string_buffer_byte(jsc->b, '}');
}

/* Runs no JavaScript, so nothing changes meanwhile. Returns other than 0 if something is not plain, or on an error. */
static int json_plain_to_str(JSContext *ctx, JSONStringifyContext *jsc, JSValueConst val, int depth)
{
    JSString *text;
    JSObject *p;
    JSValue flat;
    int ret;
    switch (JS_VALUE_GET_NORM_TAG(val)) {
    case JS_TAG_STRING:
        text = JS_VALUE_GET_STRING(val);
        return text->is_wide_char ? 1 : string_buffer_quote8(jsc->b, str8(text), text->len);
    case JS_TAG_STRING_ROPE:
        flat = JS_ToString(ctx, val);
        if (JS_IsException(flat))
            return 1;
        ret = json_plain_to_str(ctx, jsc, flat, depth);
        JS_FreeValue(ctx, flat);
        return ret;
    case JS_TAG_INT: {
        char digits[16];
        return string_buffer_write8(jsc->b, (const uint8_t *)digits, i32toa(digits, JS_VALUE_GET_INT(val)));
    }
    case JS_TAG_BOOL:
        return string_buffer_puts8(jsc->b, JS_VALUE_GET_BOOL(val) ? "true" : "false");
    case JS_TAG_NULL:
        return string_buffer_puts8(jsc->b, "null");
    case JS_TAG_FLOAT64:
        return isfinite(JS_VALUE_GET_FLOAT64(val)) ? string_buffer_concat_value(jsc->b, val) : 1;
    case JS_TAG_OBJECT:
        p = JS_VALUE_GET_OBJ(val);
        if (depth >= JSON_PLAIN_DEPTH)
            return 1;
        if (p->class_id == JS_CLASS_OBJECT && !p->is_exotic &&
            (!p->shape->proto || p->shape->proto == JS_VALUE_GET_OBJ(ctx->class_proto[JS_CLASS_OBJECT])) &&
            !find_own_property1(p, JS_ATOM_toJSON))
            return json_plain_object(ctx, jsc, p, depth);
        if (p->class_id == JS_CLASS_ARRAY && p->fast_array && p->shape->prop_count == 1 &&
            p->shape->proto == JS_VALUE_GET_OBJ(ctx->class_proto[JS_CLASS_ARRAY]) &&
            JS_VALUE_GET_TAG(p->prop[0].u.value) == JS_TAG_INT &&
            (uint32_t)JS_VALUE_GET_INT(p->prop[0].u.value) == p->u.array.count)
            return json_plain_array(ctx, jsc, p, depth);
        return 1;
    default:
        return 1;
    }
}

static bool json_is_usual_realm(JSContext *ctx)
{
    JSObject *object = JS_VALUE_GET_OBJ(ctx->class_proto[JS_CLASS_OBJECT]);
    JSObject *array = JS_VALUE_GET_OBJ(ctx->class_proto[JS_CLASS_ARRAY]);
    return !find_own_property1(object, JS_ATOM_toJSON) && !find_own_property1(array, JS_ATOM_toJSON) &&
           array->shape->proto == object;
}

JSValue JS_JSONStringify(JSContext *ctx, JSValueConst obj,
                         JSValueConst replacer, JSValueConst space0)
{
    StringBuffer b_s;`;

const wrapperStart = `    wrapper = JS_NewObject(ctx);
    if (JS_IsException(wrapper))
        goto exception;
    if (JS_DefinePropertyValue(ctx, wrapper, JS_ATOM_empty_string,`;

const tryPlain = `    if (JS_IsUndefined(jsc->replacer_func) && JS_IsUndefined(jsc->property_list) && JS_IsObject(obj) &&
        !JS_VALUE_GET_STRING(jsc->gap)->is_wide_char && json_is_usual_realm(ctx)) {
        if (!json_plain_to_str(ctx, jsc, obj, 0) && !jsc->b->error_status) {
            ret = string_buffer_end(jsc->b);
            goto done;
        }
        if (jsc->b->error_status)
            goto exception;
        jsc->b->len = 0;
    }
`;

/** @type {import('./quickjs-changes.mjs').Change[]} */
export const json = [
  { find: '\nstatic JSValue JS_ParseJSON_internal(', put: parse, times: 1 },
  { find: parseStart, put: parseUsual, times: 1 },
  {
    find: `
JSValue JS_JSONStringify(JSContext *ctx, JSValueConst obj,
                         JSValueConst replacer, JSValueConst space0)
{
    StringBuffer b_s;`,
    put: quote,
    times: 1,
  },
  { find: wrapperStart, put: `${tryPlain}${wrapperStart}`, times: 1 },
];
