"""Every word that the pages say, in Chinese and English, in one place."""

from collections.abc import Mapping
from typing import Literal

from starlette.requests import Request

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
COOKIE = "lingsou_lang"

TEXTS: Mapping[str, tuple[str, str]] = {
    # every page
    "skip": ("跳到主要内容", "Skip to content"),
    "search": ("搜索", "Search"),
    "search_label": ("搜索商品", "Search products"),
    "search_hint": ("试试“蓝色T恤 100元以内”", "Try “running shoes under 300”"),
    "language": ("语言", "Language"),
    "home": ("首页", "Home"),
    "footer": ("由 Lingsou 灵搜提供搜索", "Search by Lingsou"),
    "personal_on": (
        "本站会记录您看过的商品，为您推荐。",
        "What you look at here is noted, to recommend products to you.",
    ),
    "personal_off": ("个性化推荐已关闭，不再记录您的浏览。", "Personal recommendations are off; nothing is noted."),
    "personal_stop": ("关闭个性化推荐", "Turn this off"),
    "personal_start": ("开启", "Turn them on"),
    "suggestions": ("搜索建议", "Suggestions"),
    "suggest_recent": ("最近搜索", "Recent searches"),
    "suggest_query": ("热门搜索", "Searches"),
    "suggest_category": ("分类", "Categories"),
    "suggest_brand": ("品牌", "Brands"),
    "suggest_product": ("商品", "Products"),
    "clear_recent": ("清除最近搜索", "Clear recent searches"),
    # home
    "hero": ("想找什么，直接说", "Say what you are looking for"),
    "hero_more": (
        "用中文或英文都可以，写上预算、颜色、不想要的也行。",
        "In Chinese or English. Add a budget, a colour, or what you do not want.",
    ),
    "categories": ("热门分类", "Popular categories"),
    "bestsellers": ("热销商品", "Best sellers"),
    "newest_products": ("新品上架", "New arrivals"),
    "see_all": ("查看全部", "See all"),
    "shop_empty": (
        "店里还没有商品。导入商品后，这里就会出现。",
        "There are no products yet. They appear here once they are imported.",
    ),
    # recommended rows
    "for_you": ("为您推荐", "For you"),
    "trending": ("近期热门", "Trending"),
    "popular": ("大家都在看", "Popular with shoppers"),
    "bought_together": ("经常一起购买", "Often bought together"),
    "from_history": ("根据您看过的商品挑选", "Chosen by what you looked at"),
    "from_trending": ("近来比以往更受关注", "Looked at more than usual just now"),
    "from_popularity": ("近来看的人最多", "What most shoppers look at"),
    "from_similar": ("按商品资料和大家的浏览挑选", "By their details and by what shoppers looked at"),
    "from_bought_together": ("来自其他顾客的订单", "From what other shoppers bought together"),
    "from_shop": ("店铺推荐", "Chosen by the shop"),
    # results
    "results_for": ("“{q}”的搜索结果", "Results for “{q}”"),
    "all_products": ("全部商品", "All products"),
    "total": ("共 {total} 件商品", "{total} products"),
    "total_one": ("共 1 件商品", "1 product"),
    "total_about": ("约 {total} 件商品", "About {total} products"),
    "understood": ("我们的理解", "We understood"),
    "remove": ("去掉：{name}", "Remove {name}"),
    "filters_active": ("已选条件", "Your filters"),
    "clear_filters": ("清除全部条件", "Clear all filters"),
    "literal": ("只按原文字搜索", "Search for exactly these words"),
    "literal_on": ("已按原文字搜索，未解读条件。", "Searched for exactly these words; no limits were read from them."),
    "corrected": ("已显示“{q}”的搜索结果。", "Showing results for “{q}”."),
    "as_spelt": ("仍然搜索“{q}”", "Search instead for “{q}”"),
    "did_you_mean": ("您是不是要找：", "Did you mean: "),
    "literal_off": ("恢复智能理解", "Understand my words again"),
    "filters": ("筛选", "Filters"),
    "apply": ("应用筛选", "Apply filters"),
    "price": ("价格", "Price"),
    "price_from": ("最低价", "From"),
    "price_to": ("最高价", "To"),
    "price_below": ("{high} 以下", "Under {high}"),
    "price_between": ("{low} – {high}", "{low} – {high}"),
    "price_above": ("{low} 以上", "{low} and above"),
    "in_stock_only": ("仅看有货", "In stock only"),
    "more_values": ("更多", "More"),
    "more_exist": ("还有 {count} 项", "{count} more exist"),
    "any_category": ("全部分类", "All categories"),
    "sort": ("排序", "Sort by"),
    "sort_do": ("排序", "Sort"),
    "sort_relevance": ("相关度", "Relevance"),
    "sort_price": ("价格从低到高", "Price, low to high"),
    "sort_-price": ("价格从高到低", "Price, high to low"),
    "sort_newest": ("最新", "Newest"),
    "sort_sales": ("销量", "Best selling"),
    "sort_rating": ("评分", "Best rated"),
    "pages": ("分页", "Pages"),
    "page": ("第 {page} 页", "Page {page}"),
    "previous": ("上一页", "Previous"),
    "next": ("下一页", "Next"),
    "page_beyond": ("这一页没有商品了。", "There is nothing on this page."),
    "first_page": ("回到第一页", "Back to the first page"),
    # one product in a list
    "no_price": ("价格待询", "Price on request"),
    "in_stock": ("有货", "In stock"),
    "few_left": ("仅剩 {count} 件", "Only {count} left"),
    "sold_out": ("暂时缺货", "Out of stock"),
    "variants": ("{count} 款可选", "{count} options"),
    "rating": ("评分 {rating}（满分 5）", "Rated {rating} out of 5"),
    "reviews": ("{count} 条评价", "{count} reviews"),
    "sold": ("已售 {count}", "{count} sold"),
    "no_picture": ("暂无图片", "No picture"),
    # why this result
    "why": ("为什么是它？", "Why this result?"),
    "why_words": ("商品里有这些词：{words}", "It has these words: {words}"),
    "why_some_words": ("商品资料与您的用词相符", "Its details match your words"),
    "why_meaning": ("意思与您的搜索接近", "Close in meaning to your search"),
    "why_wish": ("符合您提到的{name}", "Fits what you named: {name}"),
    "why_identifier": ("编号与您输入的完全一致", "Its number is exactly the one you typed"),
    "why_filters": ("符合条件：{names}", "Meets: {names}"),
    "why_sort": ("按{name}排序，排第 {position}", "Sorted by {name}; number {position}"),
    "why_shop": ("店铺的安排：{detail}", "Placed by the shop: {detail}"),
    "why_popular": ("没有搜索词，畅销的在前", "No words given: best sellers come first"),
    "and": ("、", ", "),
    "not": ("不要 {name}", "not {name}"),
    "at_least": ("{name} ≥ {low}", "{name} ≥ {low}"),
    "at_most": ("{name} ≤ {high}", "{name} ≤ {high}"),
    "between": ("{name} {low} – {high}", "{name} {low} – {high}"),
    # nothing found
    "empty_title": ("没有找到符合的商品", "Nothing matches"),
    "empty_filters": (
        "去掉这些条件后有 {total} 件商品：",
        "Without these filters there are {total} products. Remove one:",
    ),
    "empty_words": ("少用几个词试试：", "Try fewer words:"),
    "empty_tips": ("还可以", "You can also"),
    "empty_tip_spelling": ("检查一下有没有错别字", "check the spelling"),
    "empty_tip_general": ("换一个更常用的说法", "use a more common word"),
    "empty_tip_language": ("用另一种语言搜索", "search in the other language"),
    # product
    "details": ("商品参数", "Details"),
    "description": ("商品介绍", "Description"),
    "options": ("可选款式", "Options"),
    "similar": ("相似商品", "Similar products"),
    "gallery": ("商品图片", "Pictures"),
    "breadcrumbs": ("所在分类", "Category"),
    "yes": ("是", "yes"),
    "no": ("否", "no"),
    # errors
    "error_404": ("页面不存在", "This page does not exist"),
    "error_404_more": ("它可能已下架，或者网址有误。", "It may have been removed, or the address is wrong."),
    "error_400": ("无法理解这个请求", "This request cannot be understood"),
    "error_400_more": (
        "网址里的某个条件不存在或写错了。",
        "A filter in the address does not exist or is not written correctly.",
    ),
    "error_500": ("出了点问题", "Something went wrong"),
    "error_500_more": ("不是您的问题，请稍后再试。", "It is not you. Please try again in a moment."),
    "error_home": ("回到首页", "Back to the home page"),
}

FIELDS: Mapping[str, tuple[str, str]] = {
    "title": ("标题", "Title"),
    "short_description": ("简介", "Short description"),
    "description": ("描述", "Description"),
    "images": ("图片", "Images"),
    "group_id": ("同款组", "Variant group"),
    "category": ("分类", "Category"),
    "brand": ("品牌", "Brand"),
    "price": ("价格", "Price"),
    "stock": ("库存", "Stock"),
    "tags": ("标签", "Tags"),
    "rating": ("评分", "Rating"),
    "sku": ("货号", "SKU"),
    "mpn": ("型号", "Model number"),
    "ean": ("条码", "EAN"),
    "type": ("类型", "Type"),
    "colour": ("颜色", "Colour"),
    "color": ("颜色", "Colour"),
    "size": ("尺码", "Size"),
    "material": ("材质", "Material"),
    "style": ("风格", "Style"),
    "audience": ("适用人群", "For"),
    "gender": ("性别", "Gender"),
    "season": ("季节", "Season"),
    "features": ("特点", "Features"),
    "use": ("适用场景", "Use"),
    "fit": ("版型", "Fit"),
    "flavour": ("口味", "Flavour"),
    "scent": ("香型", "Scent"),
    "shade": ("色号", "Shade"),
    "pattern": ("图案", "Pattern"),
    "weight": ("重量", "Weight"),
    "capacity": ("容量", "Capacity"),
    "volume": ("容积", "Volume"),
    "length": ("长度", "Length"),
    "width": ("宽度", "Width"),
    "height": ("高度", "Height"),
    "depth": ("深度", "Depth"),
    "diameter": ("直径", "Diameter"),
    "power": ("功率", "Power"),
    "screen": ("屏幕", "Screen"),
    "memory": ("内存", "Memory"),
    "storage": ("存储", "Storage"),
    "battery": ("电池", "Battery"),
    "interface": ("接口", "Interface"),
    "connection": ("连接方式", "Connection"),
}
"""Names of the product's fields, and of attributes that many shops have."""

_PLACE = {"zh": 0, "en": 1}


class Texts:
    """The words of one language: `t("total", total=3)`."""

    def __init__(self, language: Language, texts: Mapping[str, tuple[str, str]] = TEXTS):
        self.language = language
        self._texts = texts
        self._place = _PLACE[language]

    def __call__(self, key: str, **values: object) -> str:
        """The text, with its places filled."""
        return self._texts[key][self._place].format(**values)

    def field(self, name: str) -> str | None:
        """The name of a field or attribute; none when it is not a usual one."""
        found = FIELDS.get(name.removeprefix("attributes."))
        return found[self._place] if found else None


def language_of(request: Request, setting: str) -> Language:
    """`?lang=`, else the cookie, else the shop's setting, else what the browser prefers; English for all others."""
    for wanted in (request.query_params.get("lang"), request.cookies.get(COOKIE), setting):
        for language in LANGUAGES:
            if wanted == language:
                return language
    for each in _accepted(request.headers.get("accept-language", "")):
        for language in LANGUAGES:
            if each.partition("-")[0] == language:
                return language
    return "en"


def _accepted(header: str) -> list[str]:
    """Language tags of an Accept-Language header, most wanted first."""
    weighed = []
    for place, part in enumerate(header.lower().split(",")[:20]):
        tag, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((-float(weight or 1), place, tag.strip()))
        except ValueError:
            continue
    return [tag for _, _, tag in sorted(weighed)]
